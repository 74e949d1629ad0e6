package config

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"
)

const migratedHead = `# Made by "k8guard config migrate" from the variables of a first K8Guard. Check it with
# "k8guard config check --config FILE". Nothing is switched on by it: enforce.mode says what may be done.
# A variable that stays set wins over this file: take each away once its line is here.
# In a pod K8Guard uses the pod's own account. Outside, one key is still to be written: cluster.kubeconfig, the path of
# what "sh deploy/kubeconfig.sh k8guard-discover" prints, once deploy/rbac-discover.yaml is applied.
`

// written prints the keys that variables set, each below what became of its variable; those
// that have no key follow.
func written(cfg Config, fates []fate, moved []MovedSecret) ([]byte, error) {
	var out bytes.Buffer
	out.WriteString(migratedHead)
	comments := map[string][]string{}
	for _, f := range fates {
		for _, key := range f.keys {
			comments[top(key)] = append(comments[top(key)], comment(f))
		}
	}
	if root := chosen(reflect.ValueOf(cfg), "", comments); root != nil {
		encoder := yaml.NewEncoder(&out)
		encoder.SetIndent(2)
		if err := encoder.Encode(root); err != nil {
			return nil, fmt.Errorf("print the configuration: %w", err)
		}
	}
	var rest []string
	for _, f := range fates {
		if len(f.keys) == 0 {
			rest = append(rest, "# "+comment(f)+"\n")
		}
	}
	if len(rest) > 0 {
		out.WriteString("\n# Without a key:\n" + strings.Join(rest, ""))
	}
	if len(moved) > 0 {
		out.WriteString("\n# Secrets that have to lie in files:\n")
	}
	for _, s := range moved {
		fmt.Fprintf(&out, "# %s -> %s\n", s.Variable, oneLine(s.File))
	}
	return out.Bytes(), nil
}

// top is the key itself, or of what lies in a list of groups the list's: that is printed whole.
func top(key string) string {
	before, _, _ := strings.Cut(key, "[")
	return before
}

// comment says in one line what became of a variable.
func comment(f fate) string {
	if len(f.notes) == 0 {
		return f.full
	}
	return oneLine(f.full + ": " + strings.Join(f.notes, "; "))
}

// oneLine keeps a comment from ending, whatever a value that it quotes holds.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, s)
}

// chosen is v without the keys that nobody set, or nil where nothing is left.
func chosen(v reflect.Value, at string, comments map[string][]string) *yaml.Node {
	group := &yaml.Node{Kind: yaml.MappingNode}
	for i, name := range fieldNames(v.Type()) {
		key := join(at, name)
		var below *yaml.Node
		if isStruct(v.Field(i).Type()) {
			below = chosen(v.Field(i), key, comments)
		} else if comments[key] != nil {
			below = tree(v.Field(i))
		}
		if below == nil {
			continue
		}
		head := text(name)
		head.HeadComment = strings.Join(slices.Compact(comments[key]), "\n")
		group.Content = append(group.Content, head, below)
	}
	if len(group.Content) == 0 {
		return nil
	}
	return group
}
