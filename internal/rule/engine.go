package rule

import (
	"fmt"
	"slices"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/entity"
)

// Engine runs a fixed set of rules.
type Engine struct {
	rules  []Rule
	byKind map[entity.Kind][]Rule
	reads  map[entity.Kind][]entity.Kind
	meter  Meter // may be nil
}

// Meter is told what each rule costs. It brings the clock.
type Meter interface {
	Now() time.Time
	Took(rule string, d time.Duration)
}

// NewEngine takes the rules in the order in which verdicts are to come. Two rules with one
// ID, or a rule without an ID, kinds or check, are an error.
func NewEngine(rules ...Rule) (*Engine, error) {
	e := &Engine{rules: rules, byKind: map[entity.Kind][]Rule{}, reads: map[entity.Kind][]entity.Kind{}}
	seen := map[string]bool{}
	for _, r := range rules {
		switch {
		case r.Meta.ID == "" || len(r.Meta.Kinds) == 0 || r.Check == nil:
			return nil, fmt.Errorf("rule %q: needs an ID, kinds and a check", r.Meta.ID)
		case seen[r.Meta.ID]:
			return nil, fmt.Errorf("rule %s: listed twice", r.Meta.ID)
		}
		seen[r.Meta.ID] = true
		for _, k := range r.Meta.Kinds {
			e.byKind[k] = append(e.byKind[k], r)
			e.reads[k] = append(e.reads[k], r.Meta.Reads...)
		}
	}
	for k, all := range e.reads {
		slices.Sort(all)
		e.reads[k] = slices.Compact(all)
	}
	return e, nil
}

// Measured returns an engine with the same rules that tells a meter what each check takes.
func (e *Engine) Measured(m Meter) *Engine {
	measured := *e
	measured.meter = m
	return &measured
}

// Rules returns the metadata of every rule, in order.
func (e *Engine) Rules() []Meta {
	metas := make([]Meta, 0, len(e.rules))
	for _, r := range e.rules {
		metas = append(metas, r.Meta)
	}
	return metas
}

// Find returns the metadata of one rule.
func (e *Engine) Find(id string) (Meta, bool) {
	i := slices.IndexFunc(e.rules, func(r Rule) bool { return r.Meta.ID == id })
	if i < 0 {
		return Meta{}, false
	}
	return e.rules[i].Meta, true
}

// Judge runs every rule that applies to the entity's kind: one verdict each, in the order
// of the rules. Every violation is stamped with where it was seen.
func (e *Engine) Judge(subject entity.Entity, related Related, from v1.From) []v1.Verdict {
	return e.judgeAll(subject, related, from, func(Rule) bool { return true })
}

// JudgeAlone runs the rules that look at the subject and at nothing else.
func (e *Engine) JudgeAlone(subject entity.Entity, from v1.From) []v1.Verdict {
	return e.judgeAll(subject, Nothing{}, from, func(r Rule) bool { return len(r.Meta.Reads) == 0 })
}

// LooksAround reports whether any rule about a kind looks at others.
func (e *Engine) LooksAround(kind entity.Kind) bool { return len(e.reads[kind]) > 0 }

// JudgeRelated runs the rules that look at others too; a slim subject is enough.
func (e *Engine) JudgeRelated(subject entity.Entity, related Related, from v1.From) []v1.Verdict {
	return e.judgeAll(subject, related, from, func(r Rule) bool { return len(r.Meta.Reads) > 0 })
}

// Reads lists, without repetition, what the rules about a kind look up.
func (e *Engine) Reads(kind entity.Kind) []entity.Kind { return slices.Clone(e.reads[kind]) }

// Related lists the kinds that rules look up and that are not judged themselves: whoever
// watches a cluster follows them too.
func (e *Engine) Related() []entity.Kind {
	return slices.DeleteFunc(entity.Related(), func(k entity.Kind) bool {
		return !slices.ContainsFunc(e.rules, func(r Rule) bool { return slices.Contains(r.Meta.Reads, k) })
	})
}

func (e *Engine) judgeAll(subject entity.Entity, related Related, from v1.From, which func(Rule) bool) []v1.Verdict {
	rules := e.byKind[subject.Kind]
	verdicts := make([]v1.Verdict, 0, len(rules))
	var began time.Time
	if e.meter != nil {
		began = e.meter.Now()
	}
	for _, r := range rules {
		if !which(r) {
			continue
		}
		verdicts = append(verdicts, judge(r, subject, related, from))
		if e.meter != nil { // one look at the clock a rule: the end of one is the beginning of the next
			ended := e.meter.Now()
			e.meter.Took(r.Meta.ID, ended.Sub(began))
			began = ended
		}
	}
	return verdicts
}

func judge(r Rule, subject entity.Entity, related Related, from v1.From) v1.Verdict {
	verdict := v1.Verdict{Rule: r.Meta.ID, Version: r.Meta.Version(), Severity: string(r.Meta.Severity)}
	result := check(r, subject, related)
	for i := range result.Violations {
		bound(&result.Violations[i])
		result.Violations[i].Type = r.Meta.ID
		result.Violations[i].From = from
	}
	switch {
	case len(result.Violations) > 0:
		verdict.State, verdict.Violations, verdict.Reason = v1.Violated, result.Violations, result.Unknown
	case result.Unknown != "":
		verdict.State, verdict.Reason = v1.Unknown, result.Unknown
	default:
		verdict.State = v1.Pass
	}
	return verdict
}

// check keeps a rule's panic inside: a tenant's odd object must not stop the audit.
func check(r Rule, subject entity.Entity, related Related) (result Result) {
	defer func() {
		if p := recover(); p != nil {
			result = Result{Unknown: fmt.Sprintf("rule %s panicked: %v", r.Meta.ID, p)}
		}
	}()
	return r.Check(subject, related)
}
