package config

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
)

// Source says where a configuration comes from. Later ones win: File, Env, Set.
type Source struct {
	// File is the path of a YAML file; empty means none.
	File string
	// Env holds "NAME=value"; names that begin with "K8GUARD__" count, and the old names of the
	// first K8Guard, which the new ones override.
	Env []string
	// Set holds "a.b=value", as given to --set.
	Set []string
	// Rules are the rule ids that may be named; nil means that any may.
	Rules []string
}

// Warning is a legal setting that is probably not meant.
type Warning struct {
	Key  string
	Text string
}

// String is a sentence: a text that begins with a verb is about the key.
func (w Warning) String() string {
	for _, verb := range []string{"is ", "was ", "does ", "has "} {
		if strings.HasPrefix(w.Text, verb) {
			return w.Key + " " + w.Text
		}
	}
	return w.Key + ": " + w.Text
}

// Load reads, merges and validates. The error joins every mistake found, each with the
// place it was written at, its key, what is wrong and what to write instead.
func Load(s Source) (Config, []Warning, error) {
	var data []byte
	if s.File != "" {
		var err error
		if data, err = os.ReadFile(s.File); err != nil {
			return Config{}, nil, fmt.Errorf("read the configuration: %w; name a readable file with --config", err)
		}
	}
	cfg, warnings, err := LoadBytes(data, s)
	if s.File != "" && err == nil && blank(data) {
		warnings = append(warnings, Warning{s.File, "is empty: nothing is set in it, and every default counts"})
	}
	return cfg, warnings, err
}

// blank reports whether a file says nothing but comments.
func blank(data []byte) bool {
	for line := range bytes.Lines(data) {
		if text := bytes.TrimSpace(line); len(text) > 0 && text[0] != '#' && string(text) != "---" {
			return false
		}
	}
	return true
}

// LoadBytes is [Load] with the file's bytes given; s.File is only the name in messages.
func LoadBytes(data []byte, s Source) (Config, []Warning, error) {
	cfg := Default()
	l := newLoader(s.File)
	l.document(data, &cfg)
	l.old(s.Env, s.Rules, &cfg)
	l.env(s.Env, &cfg)
	l.set(s.Set, &cfg)
	l.validate(problems(cfg, s.Rules))
	if len(l.errs) > 0 {
		return Config{}, nil, errors.Join(l.errs...)
	}
	return cfg, append(l.warnings, Warnings(cfg)...), nil
}

// loader gathers mistakes, and remembers who set a key.
type loader struct {
	file   string
	origin map[string]string
	errs   []error
	broken []string // the keys that could not be read; "" is the whole

	warnings []Warning
}

func newLoader(file string) *loader { return &loader{file: file, origin: map[string]string{}} }

// validate adds what is wrong with what could be read. Where a value of a section could not, what
// is said of that section may follow from it: it waits until that is mended.
func (l *loader) validate(problems []problem) {
	wait := false
	for _, p := range problems {
		switch {
		case slices.Contains(l.broken, p.key): // said already
		case slices.ContainsFunc(l.broken, func(key string) bool { return section(key) == "" || section(key) == section(p.key) }):
			wait = true
		default:
			l.report(l.where(p.key), p.key, p.what)
		}
	}
	if wait {
		l.report("", "", "more may follow once these are mended: not everything could be checked")
	}
}

// section is the first part of a key; "" of one that is none of ours, which may mean any.
func section(key string) string {
	name := key[:len(key)-len(strings.TrimLeftFunc(key, func(r rune) bool { return r != '.' && r != '[' }))]
	if !slices.Contains(fieldNames(reflect.TypeFor[Config]()), name) {
		return ""
	}
	return name
}

// fail is a mistake in reading.
func (l *loader) fail(where, key, what string) {
	l.broken = append(l.broken, key)
	l.report(where, key, what)
}

func (l *loader) report(where, key, what string) {
	text := what
	if key != "" {
		text = key + ": " + what
	}
	if where != "" {
		text = where + ": " + text
	}
	l.errs = append(l.errs, errors.New(text))
}

// where is the place of key, or of the nearest key above it that somebody wrote.
func (l *loader) where(key string) string {
	for key != "" {
		if at, ok := l.origin[key]; ok {
			return at
		}
		key = parent(key)
	}
	return l.file
}

func parent(key string) string {
	for i := len(key) - 1; i > 0; i-- {
		if key[i] == '.' || key[i] == '[' {
			return key[:i]
		}
	}
	return ""
}
