package config

import (
	"errors"
	"maps"
	"path"
	"reflect"
	"slices"
	"strings"
)

// Migration is what the variables of a first K8Guard become.
type Migration struct {
	// YAML is a configuration file with a comment for each variable. No secret is in it.
	YAML []byte
	// Warnings are what a person has to look at.
	Warnings []Warning
	// Secrets are the values that have to lie in files; the YAML names these.
	Secrets []MovedSecret
}

// MovedSecret is a secret that a variable held.
type MovedSecret struct {
	Variable, Key, File string
	Value               Secret
}

// fate is what became of one variable.
type fate struct {
	full  string
	keys  []string
	notes []string
}

// Migrate turns variables ("NAME=value") of a first K8Guard into a configuration file. Secrets
// move to files below folder. The error joins every value that cannot be taken over. None is
// false when no variable is the first K8Guard's.
func Migrate(env, rules []string, folder string) (m Migration, some bool, err error) {
	cfg, l := Default(), newLoader("")
	var fates []fate
	values := map[string]string{} // the last one wins
	for _, line := range env {
		if full, value, _ := strings.Cut(line, "="); IsOld(full) {
			values[full] = value
		}
	}
	for _, full := range slices.Sorted(maps.Keys(values)) {
		fates = append(fates, l.fateOf(full, full+"="+values[full], rules, &cfg))
	}
	if len(fates) == 0 {
		return m, false, nil
	}
	fates = append(fates, l.domains(&cfg)...)
	l.validate(problems(cfg, rules))
	if len(l.errs) > 0 {
		return m, true, errors.Join(l.errs...)
	}
	m.Secrets = moveSecrets(&cfg, fates, folder)
	m.Warnings = append(l.warnings, Warnings(cfg)...)
	m.YAML, err = written(cfg, fates, m.Secrets)
	return m, true, err
}

// IsOld reports whether the first K8Guard read an environment variable of this name.
func IsOld(full string) bool {
	name, ours := strings.CutPrefix(full, OldPrefix)
	_, known := findOld(OldVariables(), name)
	return ours && known
}

// fateOf takes one variable over, and says which keys it set and what was said of it.
func (l *loader) fateOf(full, line string, rules []string, cfg *Config) fate {
	said, f := len(l.warnings), fate{full: full}
	l.old([]string{line}, rules, cfg)
	for key, where := range l.origin {
		if where == "environment variable "+full {
			f.keys = append(f.keys, key)
		}
	}
	slices.Sort(f.keys)
	for _, w := range l.warnings[said:] {
		f.notes = append(f.notes, w.Text)
	}
	if _, value, _ := strings.Cut(line, "="); value == "" {
		f.notes = append(f.notes, "is empty, which says nothing")
	} else if len(f.keys)+len(f.notes) == 0 {
		f.notes = append(f.notes, "says what holds anyway")
	}
	return f
}

// domains are where mail may go, which the first K8Guard did not ask: those of its own addresses.
func (l *loader) domains(cfg *Config) []fate {
	if cfg.Notify.Email.Host == "" {
		return nil
	}
	for _, address := range append([]string{cfg.Notify.Email.From}, cfg.Owners.Fallback...) {
		at := strings.LastIndexByte(address, '@')
		domain := strings.ToLower(strings.TrimSpace(address[at+1:]))
		if at > 0 && domain != "" && !slices.Contains(cfg.Notify.Email.Domains, domain) {
			cfg.Notify.Email.Domains = append(cfg.Notify.Email.Domains, domain)
		}
	}
	const note = "is new: nobody else is sent mail. These are the domains of your own addresses; add those of your owners."
	l.warn("notify.email.domains", note)
	return []fate{{full: "notify.email.domains", keys: []string{"notify.email.domains"}, notes: []string{note}}}
}

// moveSecrets puts files in the place of all secrets that a variable set.
func moveSecrets(cfg *Config, fates []fate, folder string) (moved []MovedSecret) {
	for i, f := range fates {
		for j, key := range f.keys {
			v, ok := valueAt(reflect.ValueOf(cfg).Elem(), key)
			if !ok {
				continue
			}
			secret, ok := v.Interface().(Secret)
			file, has := valueAt(reflect.ValueOf(cfg).Elem(), key+"File")
			if !ok || !has || secret.Empty() {
				continue
			}
			at := path.Join(folder, strings.ReplaceAll(key, ".", "-"))
			moved = append(moved, MovedSecret{Variable: f.full, Key: key, File: at, Value: secret})
			v.SetZero()
			file.SetString(at)
			fates[i].keys[j] = key + "File"
			fates[i].notes = append(fates[i].notes, "the value is no longer here: keep it in this file, for K8Guard's user alone (mode 0600)")
		}
	}
	return moved
}
