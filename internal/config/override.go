package config

import (
	"reflect"
	"slices"
	"strings"
)

// Prefix begins the names of the environment variables that count.
const Prefix = "K8GUARD__"

func (l *loader) env(env []string, cfg *Config) {
	env = slices.Clone(env)
	slices.Sort(env)
	for _, line := range env {
		name, value, _ := strings.Cut(line, "=")
		if len(name) <= len(Prefix) || !strings.EqualFold(name[:len(Prefix)], Prefix) {
			continue
		}
		l.override("environment variable "+name, strings.Split(name[len(Prefix):], "__"), value, cfg)
	}
}

func (l *loader) set(set []string, cfg *Config) {
	for _, line := range set {
		key, value, ok := strings.Cut(line, "=")
		if !ok {
			l.fail("--set", key, "has no value; write --set key=value")
			continue
		}
		l.override("--set", strings.Split(key, "."), value, cfg)
	}
}

// override finds the key, in any case, and sets it.
func (l *loader) override(where string, names []string, value string, cfg *Config) {
	v, key := reflect.ValueOf(cfg).Elem(), ""
	for _, name := range names {
		if !isStruct(v.Type()) {
			l.fail(where, join(key, name), "there is nothing below "+key+"; set "+key+" itself")
			return
		}
		known := fieldNames(v.Type())
		i := slices.IndexFunc(known, func(k string) bool { return strings.EqualFold(k, name) })
		if i < 0 {
			l.fail(where, join(key, name), "there is no such key; "+Suggest(name, known))
			return
		}
		v, key = v.Field(i), join(key, known[i])
	}
	l.origin[key] = where
	if what := assign(v, value); what != "" {
		l.fail(where, key, what)
	}
}

func assign(v reflect.Value, value string) string {
	if isStruct(v.Type()) {
		return "is a group of keys; set one of " + strings.Join(fieldNames(v.Type()), ", ")
	}
	if v.Kind() != reflect.Slice {
		if err := setScalar(v, value); err != nil {
			return err.Error()
		}
		return ""
	}
	if v.Type().Elem().Kind() != reflect.String {
		return "is a list of groups, which one line cannot say; write it in the file"
	}
	items := []string{}
	for item := range strings.SplitSeq(value, ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	v.Set(reflect.ValueOf(items))
	return ""
}
