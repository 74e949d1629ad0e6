package config

import (
	"errors"
	"fmt"
	"os"
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

// String is "key: text".
func (w Warning) String() string { return w.Key + ": " + w.Text }

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
	return LoadBytes(data, s)
}

// LoadBytes is [Load] with the file's bytes given; s.File is only the name in messages.
func LoadBytes(data []byte, s Source) (Config, []Warning, error) {
	cfg := Default()
	l := newLoader(s.File)
	l.document(data, &cfg)
	l.old(s.Env, s.Rules, &cfg)
	l.env(s.Env, &cfg)
	l.set(s.Set, &cfg)
	// A broken value would be reported twice: validate only what could be read.
	if len(l.errs) == 0 {
		for _, p := range problems(cfg, s.Rules) {
			l.fail(l.where(p.key), p.key, p.what)
		}
	}
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

	warnings []Warning
}

func newLoader(file string) *loader { return &loader{file: file, origin: map[string]string{}} }

func (l *loader) fail(where, key, what string) {
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
