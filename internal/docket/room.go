package docket

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
)

// finding is a violation that has no case yet.
type finding struct {
	verdict   v1.Verdict
	violation v1.Violation
}

func (f finding) rank() int { return rank(f.verdict.Severity, f.violation.From) }

// Rank is what a case weighs among others: the higher, the worse.
func Rank(c Case) int { return rank(c.Severity, c.From) }

// rank is what a finding weighs when there is no room for all: its severity, and within it
// the template before what only a pod shows.
func rank(severity string, from v1.From) int {
	worst := []string{"critical", "high", "medium", "low"}
	weight := 2 * len(worst)
	if i := slices.Index(worst, severity); i >= 0 {
		weight = 2 * (len(worst) - i)
	}
	if from == v1.FromPod {
		weight--
	}
	return weight
}

// makeRoom marks the case that c goes on from, if any, and in a full docket forgets the one
// that matters least: what is over, or what weighs less than c. Without it, what is over
// would fill a docket, and many small findings would hide a grave one. Equals stay: what
// was warned of is not pushed out by its like.
func (d *Docket) makeRoom(c Case, former *Case, at time.Time) ([]Entry, bool) {
	var before Case
	if former != nil {
		before = *former
		former.Heir, former.ToldResolved = c.ID, true // it lives on under another name: no all-clear
	}
	if len(d.Cases) < MaxCases {
		return nil, true
	}
	least := d.least(c)
	if least < 0 {
		if former != nil {
			*former = before
		}
		return nil, false
	}
	gone := d.Cases[least]
	d.Cases = slices.Delete(d.Cases, least, least+1)
	if gone.State == Resolved {
		return nil, true
	}
	d.Dropped++
	return []Entry{{At: at, Kind: EntryChanged, Case: gone.ID,
		Text: fmt.Sprintf("no longer followed: it gives way to %s, and no more than %d cases are kept", c.ID, MaxCases)}}, true
}

// least returns the index of the case that gives way to c, or -1. One with an open notice,
// or that an enforcement answers, stays.
func (d *Docket) least(c Case) int {
	least := -1
	for i := range d.Cases {
		one := &d.Cases[i]
		if one.Waits() || d.Enforcement != nil && slices.Contains(d.Enforcement.Cases, one.ID) {
			continue
		}
		if one.State != Resolved && rank(one.Severity, one.From) >= rank(c.Severity, c.From) {
			continue
		}
		if least < 0 || one.before(d.Cases[least]) {
			least = i
		}
	}
	return least
}

// before reports whether the case is forgotten before another: first those that go on under
// another name, then what was resolved longest ago; of live ones the lightest, the one told
// of least, the newest.
func (c *Case) before(other Case) bool {
	switch {
	case (c.State == Resolved) != (other.State == Resolved):
		return c.State == Resolved
	case c.State != Resolved:
		return cmp.Or(cmp.Compare(rank(c.Severity, c.From), rank(other.Severity, other.From)),
			cmp.Compare(len(c.Notices), len(other.Notices)), other.FirstSeen.Compare(c.FirstSeen)) < 0
	case (c.Heir != "") != (other.Heir != ""):
		return c.Heir != ""
	}
	return c.ResolvedAt.Before(other.ResolvedAt)
}
