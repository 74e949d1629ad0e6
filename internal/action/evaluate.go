package action

import (
	"context"
	"slices"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/control"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/outbox"
	"github.com/k8guard/k8guard/internal/owner"
	"github.com/k8guard/k8guard/internal/policy"
)

// recheck is how soon a docket is looked at again while a step of it is under way: what
// ends that may fail to tell. longest is how soon one that waits for a date, or for something
// that wakes it: a sighting, a switch, a person, the end of a notice.
const (
	recheck = 5 * time.Second
	longest = 5 * time.Minute
)

// filing gathers what one round puts into outboxes and into the budget, so that each is
// changed once.
type filing struct {
	owners  map[string]v1.Owner
	entries map[string][]outbox.Entry
	acts    []due
}

func newFiling() *filing {
	return &filing{owners: map[string]v1.Owner{}, entries: map[string][]outbox.Entry{}}
}

func (f *filing) add(o v1.Owner, entry outbox.Entry) {
	f.owners[o.Key()] = o
	f.entries[o.Key()] = append(f.entries[o.Key()], entry)
}

// evaluate settles what is open of a docket, asks policy about each case, and starts what
// is due.
func (e *Engine) evaluate(ctx context.Context, key docket.Key, all map[string]policy.Controls, filed *filing) error {
	since := e.index.openings(key)
	if !e.index.owns(key.Bucket()) {
		e.index.close(key) // another's
		return nil
	}
	d, done, err := e.settleOpen(ctx, key)
	if err != nil || !done {
		return err
	}
	e.elsewhere(d)
	if d, err = e.share(ctx, d); err != nil {
		return err
	}
	if err := e.settleNotices(ctx, d); err != nil {
		return err
	}
	var was docket.Docket
	d, err = ledger.Update(ctx, e.Ledger, key, func(d docket.Docket) (docket.Docket, []docket.Entry, bool, error) {
		was = d
		was.Cases = slices.Clone(d.Cases)
		next, entries, changed := e.decide(d, all[d.Cluster])
		return next, entries, changed, nil
	})
	if err != nil {
		return err
	}
	controls := all[d.Cluster]
	e.mark(ctx, was, d)
	if !d.Live() {
		e.index.closeUnless(key, since)
		return e.withdraw(ctx, key)
	}
	e.index.follow(key, d.Aliases)
	next := e.lookAgain(d)
	var acts []string
	for _, c := range d.Cases {
		if e.platform().Key() != "" && policy.Human(e.input(d, c, controls), c.Plan) != "" {
			filed.add(e.platform(), outbox.Entry{Docket: key, Case: c.ID, Purpose: docket.NeedsHuman, Try: c.NextTry(docket.NeedsHuman)})
		}
		switch c.Plan.Step {
		case policy.Notify:
			purpose := docket.Purpose(c.Plan.Next)
			filed.add(e.ownerOf(d, c.Rule), outbox.Entry{Docket: key, Case: c.ID, Purpose: purpose, Try: c.NextTry(purpose),
				First: purpose == docket.Warning && c.LastTry().IsZero()})
		case policy.Act:
			acts = append(acts, c.ID)
		}
	}
	until := e.index.pausedUntil(key)
	if until.After(e.Now()) {
		next = earlier(next, until)
	}
	e.index.putOff(key, next, since)
	switch {
	case len(acts) == 0 && slices.ContainsFunc(d.Cases, func(c docket.Case) bool { return c.Plan.Reason == policy.Stale }):
		return nil // for a moment, perhaps: what was refused stays refused until it is heard
	case len(acts) == 0 || e.site(d.Cluster).gate == nil:
		return e.withdraw(ctx, key)
	case until.After(e.Now()):
		return nil
	}
	filed.acts = append(filed.acts, e.asks(d, acts))
	return nil
}

// lookAgain is when a docket is due next. Its own dates are enough where nothing is under
// way: they are in the ledger, so that a restart finds them again, and looks at once.
func (e *Engine) lookAgain(d docket.Docket) time.Time {
	now := e.Now()
	next := now.Add(max(recheck, min(longest, e.Config.Discover.Resync)))
	for _, c := range d.Cases {
		if policy.UnderWay(c.Plan) {
			next = earlier(next, now.Add(recheck))
		}
		if at := c.Plan.At; at.After(now) || c.Plan.Step == policy.Wait {
			next = earlier(next, at)
		}
	}
	return next
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// withdraw takes back the claim of a docket that no longer asks for an act.
func (e *Engine) withdraw(ctx context.Context, key docket.Key) error {
	if !e.index.mayClaim(key) {
		return nil
	}
	if err := e.Control.GiveBack(ctx, key.Cluster, key.String()); err != nil {
		return err // else a refusal might stand, and nobody would ask for it
	}
	e.index.unclaim(key)
	return nil
}

// decide asks policy about every case and keeps its word.
func (e *Engine) decide(d docket.Docket, controls policy.Controls) (docket.Docket, []docket.Entry, bool) {
	var all []docket.Entry
	changed := false
	now := e.Now().UTC()
	for i := range d.Cases {
		id := d.Cases[i].ID
		plan := e.plan(d, d.Cases[i], controls)
		if plan.Step == policy.Open {
			var entries []docket.Entry
			d, entries = docket.OpenCase(d, id, now)
			all, changed = append(all, entries...), true
			plan = e.plan(d, *d.Find(id), controls)
		}
		next, entries, moved := docket.SetPlan(d, id, plan, now)
		d, all, changed = next, append(all, entries...), changed || moved
	}
	return d, all, changed
}

func (e *Engine) plan(d docket.Docket, c docket.Case, controls policy.Controls) docket.Plan {
	return policy.Decide(e.input(d, c, controls))
}

func (e *Engine) input(d docket.Docket, c docket.Case, controls policy.Controls) policy.Input {
	fresh, _ := e.index.sighted(d.Key)
	return policy.Input{Docket: d, Case: c, Owner: e.ownerOf(d, c.Rule), Policy: e.policyOf(d, c),
		Category: e.rules[c.Rule].Category, Exempt: policy.FindExemption(e.Config.Exemptions, d, c, e.Now()), Fresh: fresh, Control: controls,
		MinAge: e.Config.Enforce.MinimumAge, Budget: control.NameOf(e.Config.Enforce.Budget), Now: e.Now()}
}

// platform is whom K8Guard asks when a case needs a human: the configured fallback.
func (e *Engine) platform() v1.Owner { return owner.Resolve(v1.Owner{}, e.Config.Owners) }

// ownerOf is who is told of what a rule finds.
func (e *Engine) ownerOf(d docket.Docket, rule string) v1.Owner {
	return owner.Resolve(d.OwnerOf(rule), e.Config.Owners)
}

func (e *Engine) policyOf(d docket.Docket, c docket.Case) config.Policy {
	return policy.Find(e.Config.Policies, policy.BuiltIn(), d, c)
}
