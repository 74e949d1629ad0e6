// Package required holds the rules about what an object must bear: annotations and labels.
//
// Purpose: one constructor for the eight rules REQUIRED_KIND_ANNOTATIONS and
// REQUIRED_KIND_LABELS, over one grammar of filters.
//
// Concurrency: the rules hold no state that changes.
//
// Guarantees: a filter selects by exact names or by "*"; nothing that a tenant writes is
// taken for a pattern.
//
// It will not: judge the value of what is required.
package required

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/entity"
	"github.com/k8guard/k8guard/internal/rule"
)

// Params are what every rule of this package reads.
type Params struct {
	// Annotations and Labels are entries of [ParseFilter]'s grammar, each for a key.
	Annotations, Labels []string
}

// Kinds lists the kinds that may be required to bear something.
func Kinds() []entity.Kind {
	return []entity.Kind{entity.Namespace, entity.Deployment, entity.DaemonSet, entity.Pod}
}

// what is one sort of metadata that can be required.
type what struct {
	plural, singular, field string
	of                      func(entity.Entity) map[string]string
}

// Rules returns two rules for each of [Kinds]. An entry that is not of the grammar is an
// error that names it.
func Rules(p Params) ([]rule.Rule, error) {
	annotations := what{"ANNOTATIONS", "annotation", "annotations", func(e entity.Entity) map[string]string { return e.Annotations }}
	labels := what{"LABELS", "label", "labels", func(e entity.Entity) map[string]string { return e.Labels }}
	var rules []rule.Rule
	for _, set := range []struct {
		what
		written []string
	}{{annotations, p.Annotations}, {labels, p.Labels}} {
		filters, err := parseFilters("rules.REQUIRED_"+set.plural, set.written)
		if err != nil {
			return nil, err
		}
		for _, kind := range Kinds() {
			rules = append(rules, of(kind, set.what, filters))
		}
	}
	slices.SortFunc(rules, func(a, b rule.Rule) int { return cmp.Compare(a.Meta.ID, b.Meta.ID) })
	return rules, nil
}

func of(kind entity.Kind, w what, all []Filter) rule.Rule {
	filters := slices.DeleteFunc(slices.Clone(all), func(f Filter) bool { return !f.Type.matches(strings.ToLower(string(kind))) })
	texts := make([]string, 0, len(filters))
	for _, f := range filters {
		texts = append(texts, f.String())
	}
	return rule.Rule{
		Meta: rule.Meta{
			ID:       fmt.Sprintf("REQUIRED_%s_%s", strings.ToUpper(string(kind)), w.plural),
			Title:    fmt.Sprintf("A %s lacks a required %s", kind, w.singular),
			Why:      fmt.Sprintf("The platform's tools find, bill and route by this %s; what lacks it is nobody's in their eyes.", w.singular),
			Remedy:   fmt.Sprintf("Add the %s to metadata.%s; of a pod that a workload makes, to its template.", w.singular, w.field),
			Severity: rule.Low, Category: rule.Hygiene, Revision: 1,
			Kinds: []entity.Kind{kind}, Params: strings.Join(texts, " "), Keys: []string{"rules.REQUIRED_" + w.plural},
		},
		Check: func(e entity.Entity, _ rule.Related) rule.Result { return check(e, w, filters) },
	}
}

func check(e entity.Entity, w what, filters []Filter) rule.Result {
	var result rule.Result
	borne := w.of(e)
	for _, f := range filters {
		if _, there := borne[f.Value]; there || !f.Selects(e.Namespace, string(e.Kind), e.Name) {
			continue
		}
		result.Violations = append(result.Violations, v1.Violation{
			Source: f.Value, Message: fmt.Sprintf("the required %s %s is missing", w.singular, f.Value),
			Path: "metadata." + w.field,
		})
	}
	return result
}
