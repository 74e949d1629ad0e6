package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// YAML prints the configuration as a file that [Load] reads, but for secrets, which are
// masked. Equal configurations print alike.
func (c Config) YAML() ([]byte, error) {
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := encoder.Encode(tree(reflect.ValueOf(c))); err != nil {
		return nil, fmt.Errorf("print the configuration: %w", err)
	}
	return out.Bytes(), nil
}

// JSON prints the same keys and values as [Config.YAML].
func (c Config) JSON() ([]byte, error) {
	text, err := c.YAML()
	if err != nil {
		return nil, err
	}
	var plain map[string]any
	if err := yaml.Unmarshal(text, &plain); err != nil {
		return nil, fmt.Errorf("print the configuration: %w", err)
	}
	return json.MarshalIndent(plain, "", "  ")
}

// tree turns v into nodes, in the order of the struct's fields.
func tree(v reflect.Value) *yaml.Node {
	switch {
	case isStruct(v.Type()):
		n := &yaml.Node{Kind: yaml.MappingNode}
		for i, name := range fieldNames(v.Type()) {
			n.Content = append(n.Content, text(name), tree(v.Field(i)))
		}
		return n
	case v.Kind() == reflect.Slice:
		n := &yaml.Node{Kind: yaml.SequenceNode}
		for i := range v.Len() {
			n.Content = append(n.Content, tree(v.Index(i)))
		}
		return n
	}
	switch value := v.Interface().(type) {
	case time.Duration:
		return text(Shortly(value))
	case time.Time:
		return text(value.Format(time.RFC3339))
	case Secret:
		return text(value.String())
	case string:
		return text(value)
	default:
		return &yaml.Node{Kind: yaml.ScalarNode, Value: fmt.Sprint(value)}
	}
}

func text(s string) *yaml.Node {
	n := &yaml.Node{}
	n.SetString(s)
	if n.Style == yaml.LiteralStyle { // with a tab at the start of a line it would not be read again
		n.Style = yaml.DoubleQuotedStyle
	}
	return n
}

// Shortly is d without the parts that are zero, as people write it: 24h, not 24h0m0s.
func Shortly(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
