package required

import (
	"fmt"
	"strings"
)

// part is one field of a filter: a name, "*" for all, with "!" before it for all others.
type part struct {
	not  bool
	name string
}

func parsePart(written string) part {
	name, not := strings.CutPrefix(written, "!")
	return part{not, name}
}

func (p part) matches(name string) bool { return (p.name == "*" || p.name == name) != p.not }

func (p part) String() string {
	if p.not {
		return "!" + p.name
	}
	return p.name
}

// Filter is one entry: what is required, and of which objects.
type Filter struct {
	Namespace, Type, Name part
	Value                 string
}

// ParseFilter reads "value", which is for all, or "namespace:entityType:entityName:value",
// the grammar of the first K8Guard: "*" matches all, and a leading "!" negates a field.
func ParseFilter(written string) (Filter, error) {
	fields := strings.Split(written, ":")
	if len(fields) == 1 {
		fields = []string{"*", "*", "*", written}
	}
	if len(fields) != 4 {
		return Filter{}, fmt.Errorf("%q has %d fields; write value, or namespace:entityType:entityName:value", written, len(fields))
	}
	for i, field := range fields {
		if strings.TrimPrefix(field, "!") == "" || strings.TrimSpace(field) != field {
			return Filter{}, fmt.Errorf("%q: field %d is empty or has a space around it; write * for all", written, i+1)
		}
	}
	f := Filter{Namespace: parsePart(fields[0]), Type: parsePart(strings.ToLower(fields[1])), Name: parsePart(fields[2]), Value: fields[3]}
	if f.Type.name != "*" && !knownType(f.Type.name) {
		return Filter{}, fmt.Errorf("%q: there is no entity type %q; write namespace, deployment, daemonset, pod or *", written, fields[1])
	}
	return f, nil
}

func parseFilters(key string, written []string) ([]Filter, error) {
	var filters []Filter
	for i, w := range written {
		f, err := ParseFilter(w)
		if err != nil {
			return nil, fmt.Errorf("%s[%d]: %w", key, i, err)
		}
		filters = append(filters, f)
	}
	return filters, nil
}

func knownType(name string) bool {
	for _, k := range Kinds() {
		if strings.EqualFold(string(k), name) {
			return true
		}
	}
	return false
}

// Selects reports whether the filter is about this object.
func (f Filter) Selects(namespace, kind, name string) bool {
	return f.Namespace.matches(namespace) && f.Type.matches(strings.ToLower(kind)) && f.Name.matches(name)
}

// String is the entry in its long form.
func (f Filter) String() string {
	return fmt.Sprintf("%s:%s:%s:%s", f.Namespace, f.Type, f.Name, f.Value)
}
