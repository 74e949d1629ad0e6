package action

import (
	"slices"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/outbox"
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

// heldFor bounds how long an entry is kept for a case that is held; later the ladder's next step is
// what the owner hears.
const heldFor = 7 * 24 * time.Hour

// held reports whether something holds a case for a while only, whose telling was begun lately and is
// still for the box's owner.
func (e *Engine) held(d docket.Docket, c docket.Case, entry outbox.Entry, to v1.Owner, all map[string]policy.Controls) bool {
	before, _ := c.Without(entry.Purpose, entry.Try)
	right := e.ownerOf(d, c.Rule)
	if entry.Purpose == docket.NeedsHuman {
		right = e.platform()
	}
	began := func(n docket.NoticeRef) bool {
		return n.Purpose == entry.Purpose && n.Try == entry.Try && e.Now().Sub(n.At) < heldFor
	}
	return to.Key() == right.Key() && slices.ContainsFunc(c.Notices, began) && passes(e.wordOn(d, before, all[d.Cluster]).Reason)
}

// passes reports whether what holds a case may pass by itself.
func passes(reason string) bool {
	switch reason {
	case policy.Exempt, policy.Stale, policy.Unknown, policy.Dormant, policy.Acked, policy.LedgerDoubt, policy.ActUnderWay:
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
