package discover

import (
	"slices"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/entity"
)

// finding is what one rule found in a root: so many violations, or that it could not judge.
type finding struct {
	rule       string
	violations int
	unknown    bool
}

// findingsOf leaves out what passed, and so costs a clean root nothing.
func findingsOf(o v1.Observation) (all []finding) {
	for _, v := range o.Verdicts {
		if v.State != v1.Pass {
			all = append(all, finding{v.Rule, len(v.Violations), v.State == v1.Unknown})
		}
	}
	return all
}

// bad reports whether the root violates a rule.
func (s state) bad() bool {
	return slices.ContainsFunc(s.findings, func(f finding) bool { return !f.unknown })
}

// cell is a kind of root and a rule.
type cell struct {
	kind entity.Kind
	rule string
}

// tally counts over all roots of a cell.
type tally struct{ violations, unknown int }

// census counts what is wrong now; it is kept up to date as roots change, so that asking
// for it costs nothing. Discover's mutex guards it.
type census map[cell]tally

// moveLocked takes out what was found in a root, and counts what is found now.
func (c census) moveLocked(kind entity.Kind, was, is []finding) {
	add := func(findings []finding, n int) {
		for _, f := range findings {
			at := cell{kind, f.rule}
			t := c[at]
			t.violations += n * f.violations
			if f.unknown {
				t.unknown += n
			}
			c[at] = t
		}
	}
	add(was, -1)
	add(is, 1)
}

// found is the tally of a cell.
func (d *Discover) found(at cell) tally {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.census[at]
}
