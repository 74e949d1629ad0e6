package config

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxOldFile bounds a file of variables, in bytes: a ConfigMap or Secret has 1 MiB at most.
const maxOldFile = 4 << 20

// EnvFile reads "NAME=value" lines as docker, compose and a shell write them: comments, blank
// lines, "export" and quotes around a value are understood. Errors repeat no value.
func EnvFile(data []byte, file string) (env []string, err error) {
	if len(data) > maxOldFile {
		return nil, fmt.Errorf("%s: has %d bytes, at most %d are read; write the variables alone", file, len(data), maxOldFile)
	}
	var wrong []error
	n := 0
	for line := range strings.SplitSeq(strings.TrimPrefix(string(data), "\ufeff"), "\n") {
		n++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, value, ok := strings.Cut(strings.TrimPrefix(line, "export "), "=")
		if name = strings.TrimSpace(name); !ok || name == "" {
			wrong = append(wrong, fmt.Errorf("%s:%d: is no variable; write NAME=value", file, n))
			continue
		}
		env = append(env, name+"="+unquoted(strings.TrimSpace(value)))
	}
	return env, errors.Join(wrong...)
}

func unquoted(value string) string {
	if len(value) >= 2 && (value[0] == '"' || value[0] == '\'') && value[len(value)-1] == value[0] {
		return value[1 : len(value)-1]
	}
	return value
}

// oldManifest is what is read of a ConfigMap, a Secret or a List of them.
type oldManifest struct {
	Kind       string
	Data       map[string]string
	StringData map[string]string `yaml:"stringData"`
	Items      []oldManifest
}

// Manifest reads the variables that a ConfigMap or a Secret holds, of one or more documents.
// Errors repeat no value.
func Manifest(data []byte, file string) (env []string, err error) {
	if len(data) > maxOldFile {
		return nil, fmt.Errorf("%s: has %d bytes, at most %d are read; write the ConfigMap and the Secret alone", file, len(data), maxOldFile)
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	for n := 1; ; n++ {
		var node yaml.Node
		if err := decoder.Decode(&node); errors.Is(err, io.EOF) {
			return env, nil
		} else if err != nil {
			return nil, fmt.Errorf("%s: document %d is not YAML%s", file, n, lineOf(err))
		}
		var one oldManifest
		if err := node.Decode(&one); err != nil {
			// What the library says quotes values.
			return nil, fmt.Errorf("%s: document %d has a value of data that is no text; write each in quotes", file, n)
		}
		some, err := one.variables()
		if err != nil {
			return nil, fmt.Errorf("%s: document %d: %w", file, n, err)
		}
		env = append(env, some...)
	}
}

func (m oldManifest) variables() (env []string, err error) {
	switch m.Kind {
	case "ConfigMap":
		return pairs(m.Data), nil
	case "Secret":
		clear := map[string]string{}
		for key, value := range m.Data {
			text, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(value), ""))
			if err != nil {
				return nil, fmt.Errorf("data.%s of a Secret is not base64; write it so, or into stringData", key)
			}
			clear[key] = strings.TrimSuffix(string(text), "\n")
		}
		maps.Copy(clear, m.StringData)
		return pairs(clear), nil
	case "List", "ConfigMapList", "SecretList":
		for _, item := range m.Items {
			some, err := item.variables()
			if err != nil {
				return nil, err
			}
			env = append(env, some...)
		}
		return env, nil
	case "":
		return nil, nil // an empty document
	}
	return nil, fmt.Errorf("%q holds no variables; write a ConfigMap or a Secret", m.Kind)
}

func pairs(data map[string]string) (env []string) {
	for _, name := range slices.Sorted(maps.Keys(data)) {
		env = append(env, name+"="+data[name])
	}
	return env
}

// lineOf is all that is passed on of what the YAML library says: the rest may quote values.
func lineOf(err error) string {
	if found := regexp.MustCompile(`line \d+`).FindString(err.Error()); found != "" {
		return ", see " + found
	}
	return ""
}
