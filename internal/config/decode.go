package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// document reads the one document of a file into a struct.
func (l *loader) document(data []byte, into any) {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var doc, second yaml.Node
	if err := decoder.Decode(&doc); errors.Is(err, io.EOF) {
		return
	} else if err != nil {
		l.syntax(err, data)
		return
	}
	if err := decoder.Decode(&second); err == nil {
		l.fail(l.at(&second), "", "a second document begins here; write one document without ---")
	} else if !errors.Is(err, io.EOF) {
		l.syntax(err, data)
	}
	if len(doc.Content) == 1 && doc.Content[0].Tag != "!!null" {
		l.node(doc.Content[0], reflect.ValueOf(into).Elem(), "")
	}
}

// syntax moves the line that the parser names to where editors look for it.
func (l *loader) syntax(err error, data []byte) {
	if line, column := tab(data); line > 0 && strings.Contains(err.Error(), "cannot start any token") {
		l.fail(fmt.Sprintf("%s:%d:%d", l.file, line, column), "", "a tab; YAML wants spaces")
		return
	}
	parts := regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)`).FindStringSubmatch(err.Error())
	where, what := l.file+":1:1", err.Error()
	if parts != nil {
		what = parts[2]
		if parts[1] != "" {
			where = l.file + ":" + parts[1] + ":1"
		}
	}
	l.fail(where, "", "this is not YAML: "+what+"; correct the line or the one above it")
}

// tab is the place of the first tab that indents, or 0.
func tab(data []byte) (line, column int) {
	for text := range bytes.Lines(data) {
		line++
		indent := text[:len(text)-len(bytes.TrimLeft(text, " \t-"))]
		if at := bytes.IndexByte(indent, '\t'); at >= 0 {
			return line, at + 1
		}
	}
	return 0, 0
}

func (l *loader) at(n *yaml.Node) string {
	return fmt.Sprintf("%s:%d:%d", l.file, max(n.Line, 1), max(n.Column, 1))
}

func (l *loader) node(n *yaml.Node, v reflect.Value, key string) {
	l.origin[key] = l.at(n)
	switch {
	case n.Kind == yaml.AliasNode:
		l.fail(l.at(n), key, "an alias is not read; write the value out")
	case n.Tag == "!!null":
		l.fail(l.at(n), key, "has no value; write "+want(v.Type())+", or leave the key out")
	case isStruct(v.Type()):
		l.mapping(n, v, key)
	case v.Kind() == reflect.Slice:
		l.list(n, v, key)
	default:
		l.scalar(n, v, key)
	}
}

func (l *loader) mapping(n *yaml.Node, v reflect.Value, key string) {
	if n.Kind != yaml.MappingNode {
		l.fail(l.at(n), key, "is "+found(n)+"; write "+want(v.Type()))
		return
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, path := n.Content[i], join(key, n.Content[i].Value)
		field, ok := fieldByName(v, name.Value)
		if first, twice := seen[name.Value]; twice {
			l.fail(l.at(name), path, fmt.Sprintf("is written twice, first in line %d; keep one", first))
			continue
		}
		seen[name.Value] = name.Line
		if !ok || name.Kind != yaml.ScalarNode {
			l.fail(l.at(name), path, "there is no such key; "+Suggest(name.Value, fieldNames(v.Type())))
			continue
		}
		l.node(n.Content[i+1], field, path)
	}
}

func (l *loader) list(n *yaml.Node, v reflect.Value, key string) {
	if n.Kind != yaml.SequenceNode {
		l.fail(l.at(n), key, "is "+found(n)+"; write "+want(v.Type()))
		return
	}
	all := reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content))
	for i, item := range n.Content {
		if policy, ok := all.Index(i).Addr().Interface().(*Policy); ok {
			policy.Ladder = DefaultLadder()
		}
		l.node(item, all.Index(i), fmt.Sprintf("%s[%d]", key, i))
	}
	v.Set(all)
}

func (l *loader) scalar(n *yaml.Node, v reflect.Value, key string) {
	if n.Kind != yaml.ScalarNode || isText(v.Type()) && n.Tag != "!!str" {
		l.fail(l.at(n), key, "is "+found(n)+"; write "+want(v.Type()))
		return
	}
	if err := setScalar(v, n.Value); err != nil {
		l.fail(l.at(n), key, err.Error())
	}
}

// found describes what stands in the file. It never repeats a value: it may be a secret.
func found(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a group of keys"
	case yaml.SequenceNode:
		return "a list"
	}
	switch n.Tag {
	case "!!int", "!!float":
		return "a number"
	case "!!bool":
		return "true or false"
	case "!!timestamp":
		return "a time"
	}
	return "a text"
}
