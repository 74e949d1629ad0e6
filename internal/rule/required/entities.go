package required

import (
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/entity"
	"github.com/k8guard/k8guard/internal/rule"
)

// wanted is one rule about entities that must exist.
type wanted struct {
	id     string
	kind   entity.Kind
	plural string
}

// Entities returns the rules REQUIRED_NAMESPACES, REQUIRED_DEPLOYMENTS, REQUIRED_DAEMONSETS,
// REQUIRED_PODS and REQUIRED_RESOURCE_QUOTA. An entry reads namespace:entityType:*:name: in
// each namespace that the first field selects there must be one of this type and name. An
// absent entity has no object, so its namespace is what violates; for an absent namespace,
// kube-system stands for the cluster.
func Entities(written []string) ([]rule.Rule, error) {
	filters := make([]Filter, 0, len(written))
	for i, w := range written {
		f, err := parseEntity(w)
		if err != nil {
			return nil, fmt.Errorf("rules.REQUIRED_ENTITIES[%d]: %w", i, err)
		}
		filters = append(filters, f)
	}
	var rules []rule.Rule
	for _, w := range []wanted{
		{"REQUIRED_DAEMONSETS", entity.DaemonSet, "DaemonSets"}, {"REQUIRED_DEPLOYMENTS", entity.Deployment, "Deployments"},
		{"REQUIRED_NAMESPACES", entity.Namespace, "Namespaces"}, {"REQUIRED_PODS", entity.Pod, "Pods"},
		{"REQUIRED_RESOURCE_QUOTA", entity.ResourceQuota, "ResourceQuotas"},
	} {
		rules = append(rules, entityRule(w, filters))
	}
	return rules, nil
}

func parseEntity(written string) (Filter, error) {
	fields := strings.Split(written, ":")
	const form = "write namespace:entityType:*:name, such as *:resourcequota:*:default"
	if len(fields) != 4 {
		return Filter{}, fmt.Errorf("%q has %d fields; %s", written, len(fields), form)
	}
	for i, field := range fields {
		if strings.TrimPrefix(field, "!") == "" || strings.TrimSpace(field) != field {
			return Filter{}, fmt.Errorf("%q: field %d is empty or has a space around it; %s", written, i+1, form)
		}
	}
	kind := strings.ToLower(fields[1])
	if !slices.Contains([]string{"namespace", "deployment", "daemonset", "pod", "resourcequota"}, kind) {
		return Filter{}, fmt.Errorf("%q: an entity of type %q cannot be required; write namespace, deployment, daemonset, pod or resourcequota", written, fields[1])
	}
	if fields[2] != "*" {
		return Filter{}, fmt.Errorf("%q: the third field has no meaning for an entity that must exist; write *, and the name in the fourth", written)
	}
	return Filter{Namespace: parsePart(fields[0]), Type: part{name: kind}, Name: part{name: "*"}, Value: fields[3]}, nil
}

func entityRule(w wanted, all []Filter) rule.Rule {
	mine := slices.DeleteFunc(slices.Clone(all), func(f Filter) bool { return f.Type.name != strings.ToLower(string(w.kind)) })
	texts := make([]string, 0, len(mine))
	for _, f := range mine {
		texts = append(texts, f.String())
	}
	var reads []entity.Kind
	if len(mine) > 0 { // what nobody requires is not read
		reads = []entity.Kind{w.kind}
	}
	return rule.Rule{
		Meta: rule.Meta{
			ID:       w.id,
			Title:    fmt.Sprintf("One of the %s that the platform requires is missing", w.plural),
			Why:      "The platform counts on it in every namespace that it is required in; without it a limit, an agent or a service is simply not there.",
			Remedy:   "Create what is missing, under the name that is required, or ask the platform team why it is required.",
			Severity: rule.Medium, Category: rule.Hygiene, Revision: 1,
			Kinds: []entity.Kind{entity.Namespace}, Reads: reads, Params: strings.Join(texts, " "), Keys: []string{"rules.REQUIRED_ENTITIES"},
		},
		Check: func(e entity.Entity, related rule.Related) rule.Result { return checkEntities(e, related, w, mine) },
	}
}

func checkEntities(e entity.Entity, related rule.Related, w wanted, filters []Filter) rule.Result {
	place := e.Name
	if w.kind == entity.Namespace {
		if e.Name != metav1.NamespaceSystem {
			return rule.Result{}
		}
		place = ""
	}
	filters = slices.DeleteFunc(slices.Clone(filters), func(f Filter) bool {
		return w.kind != entity.Namespace && !f.Namespace.matches(e.Name)
	})
	if len(filters) == 0 {
		return rule.Result{}
	}
	there, known := related.List(w.kind, place)
	if !known {
		return rule.Result{Unknown: fmt.Sprintf("the %s could not be read", w.plural)}
	}
	var result rule.Result
	for _, f := range filters {
		name := parsePart(f.Value)
		if slices.ContainsFunc(there, func(t entity.Entity) bool { return name.matches(t.Name) }) {
			continue
		}
		result.Violations = append(result.Violations, v1.Violation{Source: strings.ToLower(string(w.kind)) + "/" + f.Value,
			Message: fmt.Sprintf("a required %s is missing: %s", w.kind, f.Value), Path: "metadata.name"})
	}
	return result
}
