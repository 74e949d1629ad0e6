package config

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
)

// Describe says what kind of value a key ("rules.IMAGE_SIZE.limit") takes, and what it is in
// c, in one line. It is false where no key is called that, or a group is.
func Describe(c Config, key string) (string, bool) {
	v, ok := valueAt(reflect.ValueOf(c), key)
	switch {
	case !ok || isStruct(v.Type()):
		return "", false
	case v.Kind() == reflect.Slice && v.Len() == 0:
		return "a list; default: empty", true
	case v.Kind() == reflect.String && v.Len() == 0:
		return "a text; default: empty", true
	}
	text, err := json.Marshal(v.Interface())
	if err != nil {
		return "", false
	}
	kind, _, _ := strings.Cut(want(v.Type()), ";")
	return fmt.Sprintf("%s; default: %s", kind, text), true
}

// valueAt finds what a key names below v.
func valueAt(v reflect.Value, key string) (reflect.Value, bool) {
	for name := range strings.SplitSeq(key, ".") {
		if !isStruct(v.Type()) {
			return v, false
		}
		below, ok := fieldByName(v, name)
		if !ok {
			return v, false
		}
		v = below
	}
	return v, true
}

// Keys lists every key below a group, as [Describe] takes them.
func Keys(group string) []string {
	v := reflect.ValueOf(Config{})
	for name := range strings.SplitSeq(group, ".") {
		below, ok := fieldByName(v, name)
		if !ok || !isStruct(below.Type()) {
			return nil
		}
		v = below
	}
	return keys(v.Type(), group)
}

func keys(t reflect.Type, at string) (all []string) {
	for i := range t.NumField() {
		f := t.Field(i)
		key := join(at, f.Tag.Get("yaml"))
		if isStruct(f.Type) {
			all = append(all, keys(f.Type, key)...)
			continue
		}
		all = append(all, key)
	}
	return all
}
