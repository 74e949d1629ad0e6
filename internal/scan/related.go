package scan

import (
	"slices"
	"strings"

	"github.com/k8guard/k8guard/internal/entity"
	"github.com/k8guard/k8guard/internal/manifest"
	"github.com/k8guard/k8guard/internal/rule"
)

// around is what rules may look up: the set is all there is, unless a part of it could not be
// read. Rules about what nodes hold are left out where the set has no node.
func around(engine *rule.Engine, set manifest.Set, readErr error) (related *rule.Set, skipped map[string]bool) {
	all := slices.Clone(set.Related)
	for _, item := range set.Items {
		all = append(all, item.Entity)
	}
	var unread []entity.Kind
	if readErr != nil {
		unread = append(entity.Kinds(), entity.Related()...)
	}
	skipped = map[string]bool{}
	nodes := slices.ContainsFunc(all, func(e entity.Entity) bool { return e.Kind == entity.Node })
	for _, m := range engine.Rules() {
		skipped[m.ID] = !nodes && slices.Contains(m.Reads, entity.Node)
	}
	return rule.NewSet(all, unread...), skipped
}

// lines takes joined errors apart, so that each is counted and printed as one.
func lines(err error) []string {
	if err == nil {
		return []string{}
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		out := []string{}
		for _, e := range joined.Unwrap() {
			out = append(out, lines(e)...)
		}
		return out
	}
	return []string{strings.TrimSpace(err.Error())}
}
