package action

import (
	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/policy"
)

// wanted reports whether an entry of an outbox is still to be told, to the box's owner. The case
// is as it was before its telling began; carried says that another channel began it.
func (e *Engine) wanted(d docket.Docket, c docket.Case, carried bool, purpose docket.Purpose, to v1.Owner, all map[string]policy.Controls) bool {
	controls := all[d.Cluster]
	p := e.wordOn(d, c, controls)
	if purpose == docket.NeedsHuman {
		return to.Key() == e.platform().Key() && policy.Human(e.input(d, c, controls), p) != ""
	}
	if to.Key() != e.ownerOf(d, c.Rule).Key() {
		return false
	}
	if carried && !e.index.owns(d.Key.Bucket()) {
		return goesOn(d, c, purpose)
	}
	return p.Step == policy.Notify && p.Next == string(purpose)
}

// goesOn reports whether a telling that another channel began is to go on, of a docket that
// another replica has: its word is of after the beginning, and says whether anything holds the case.
func goesOn(d docket.Docket, c docket.Case, purpose docket.Purpose) bool {
	if c.Plan.Reason == policy.DryRun || passes(c.Plan.Reason) {
		return false
	}
	switch purpose {
	case docket.AllClear:
		return c.State == docket.Resolved
	case docket.Enforced:
		return c.State == docket.Acted && !d.Undone()
	case docket.Undone:
		return c.State == docket.Acted && d.Undone()
	}
	return c.State == docket.Open
}

// held reports whether something holds a case for a while only.
func (e *Engine) held(d docket.Docket, c docket.Case, all map[string]policy.Controls) bool {
	return passes(e.wordOn(d, c, all[d.Cluster]).Reason)
}

// passes reports whether what holds a case may pass by itself.
func passes(reason string) bool {
	switch reason {
	case policy.Exempt, policy.Stale, policy.Unknown, policy.Dormant, policy.Acked, policy.LedgerDoubt:
		return true
	}
	return false
}

// wordOn is policy's word on a case now. Of what another replica has only that one knows whether
// it was sighted lately: its own word is on record.
func (e *Engine) wordOn(d docket.Docket, c docket.Case, controls policy.Controls) docket.Plan {
	if e.index.owns(d.Key.Bucket()) {
		return e.plan(d, c, controls)
	}
	return c.Plan
}
