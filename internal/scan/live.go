package scan

import (
	"maps"
	"slices"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/entity"
	"github.com/k8guard/k8guard/internal/rule"
)

// Live is what one look at a cluster saw.
type Live struct {
	Entities []entity.Entity
	// Unread says why a kind is missing from Entities; a kind is there whole, or not at all.
	Unread map[entity.Kind]error
	// Bounded is true when only one namespace was read.
	Bounded bool
	// Ignored are the namespaces that are not judged.
	Ignored []string
}

// maxChain bounds a chain of owners: a CronJob's Job's pod has two above it.
const maxChain = 4

// JudgeLive runs the engine over a cluster. What belongs to another object is judged with
// it: of a workload's pods, only what its template does not show is told, and once.
func JudgeLive(engine *rule.Engine, live Live) Report {
	r := Report{V: 1, Findings: []Finding{}, Skipped: map[string]int{}, Warnings: []string{}, Errors: []string{}}
	for _, kind := range slices.Sorted(maps.Keys(live.Unread)) {
		r.Errors = append(r.Errors, lines(live.Unread[kind])...)
	}
	r.Summary.Errors = len(r.Errors)
	around := rule.NewSet(live.Entities, live.unread()...)
	roots, pods := arrange(live)
	for _, root := range roots {
		r.Summary.Objects++
		verdicts := engine.Judge(root, around, from(root))
		for _, pod := range pods[root.UID] {
			verdicts = beyond(verdicts, engine.Judge(pod, around, v1.FromPod))
		}
		one := Finding{Kind: string(root.Kind), Namespace: root.Namespace, Name: root.Name}
		r.objects = append(r.objects, object{name: one.object()})
		for _, verdict := range verdicts {
			r.add(one, verdict)
		}
	}
	return r
}

// unread are the kinds of which absence means nothing.
func (l Live) unread() []entity.Kind {
	kinds := slices.Collect(maps.Keys(l.Unread))
	if l.Bounded {
		kinds = append(kinds, entity.Namespace)
	}
	return kinds
}

// arrange tells the roots, in the order in which they were read, and the live pods below
// each. What has run to its end is neither.
func arrange(live Live) (roots []entity.Entity, pods map[string][]entity.Entity) {
	byUID := make(map[string]entity.Entity, len(live.Entities))
	for _, e := range live.Entities {
		byUID[e.UID] = e
	}
	pods = map[string][]entity.Entity{}
	for _, e := range live.Entities {
		if e.Completed || slices.Contains(entity.Related(), e.Kind) || slices.Contains(live.Ignored, e.Namespace) {
			continue
		}
		root := top(e, byUID)
		switch {
		case root.UID == e.UID:
			roots = append(roots, e)
		case e.Kind == entity.Pod:
			pods[root.UID] = append(pods[root.UID], e)
		}
	}
	return roots, pods
}

// top follows the controllers as far as they were seen: same namespace, same kind, same UID.
func top(e entity.Entity, byUID map[string]entity.Entity) entity.Entity {
	for range maxChain {
		parent, found := controller(e, byUID)
		if !found {
			break
		}
		e = parent
	}
	return e
}

func controller(e entity.Entity, byUID map[string]entity.Entity) (entity.Entity, bool) {
	for _, o := range e.Owners {
		if o.Controller == nil || !*o.Controller {
			continue
		}
		parent, found := byUID[string(o.UID)]
		return parent, found && string(parent.Kind) == o.Kind && parent.Name == o.Name && parent.Namespace == e.Namespace && !parent.Completed
	}
	return entity.Entity{}, false
}

func from(e entity.Entity) v1.From {
	if e.Kind == entity.Pod {
		return v1.FromPod
	}
	return v1.FromTemplate
}

// beyond adds what a pod shows and its template does not. A violation of the same type and
// source is one, and the template's word stands.
func beyond(verdicts, pod []v1.Verdict) []v1.Verdict {
	for _, p := range pod {
		i := slices.IndexFunc(verdicts, func(v v1.Verdict) bool { return v.Rule == p.Rule })
		if i < 0 {
			verdicts = append(verdicts, p)
			continue
		}
		v := &verdicts[i]
		for _, violation := range p.Violations {
			if !slices.ContainsFunc(v.Violations, func(known v1.Violation) bool { return known.Source == violation.Source }) {
				v.Violations = append(v.Violations, violation)
			}
		}
		switch {
		case len(v.Violations) > 0:
			v.State = v1.Violated
		case p.State == v1.Unknown:
			v.State = v1.Unknown
		}
		if v.Reason == "" {
			v.Reason = p.Reason
		}
	}
	return verdicts
}
