package action

import (
	"context"
	"fmt"
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

// recheck bounds how long a docket may go unlooked at: holds end without telling it.
const recheck = 5 * time.Second

// filing gathers what one round puts into outboxes, so that each is changed once.
type filing struct {
	owners  map[string]v1.Owner
	entries map[string][]outbox.Entry
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
	if mine, err := e.mine(ctx, key); err != nil || !mine {
		return err
	}
	if done, err := e.settleOpen(ctx, key); err != nil || !done {
		return err
	}
	if err := e.share(ctx, key); err != nil {
		return err
	}
	if err := e.settleNotices(ctx, key); err != nil {
		return err
	}
	var was docket.Docket
	d, err := ledger.Update(ctx, e.Ledger, key, func(d docket.Docket) (docket.Docket, []docket.Entry, bool, error) {
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
	now := e.Now()
	next := now.Add(recheck)
	var acts []string
	for _, c := range d.Cases {
		if e.platform().Key() != "" && policy.Human(e.input(d, c, controls), c.Plan) != "" {
			filed.add(e.platform(), outbox.Entry{Docket: key, Case: c.ID, Purpose: docket.NeedsHuman})
		}
		switch c.Plan.Step {
		case policy.Notify:
			purpose := docket.Purpose(c.Plan.Next)
			filed.add(e.ownerOf(d, c.Rule), outbox.Entry{Docket: key, Case: c.ID, Purpose: purpose,
				First: purpose == docket.Warning && c.LastTry().IsZero()})
		case policy.Act:
			acts = append(acts, c.ID)
		case policy.Wait:
			if at := c.Plan.At; at.Before(next) {
				next = at
			}
		}
	}
	e.index.open(key, next)
	if len(acts) == 0 || e.site(d.Cluster).gate == nil {
		return e.withdraw(ctx, key)
	}
	return e.act(ctx, d, acts)
}

// mine reports whether a docket is this process's to work on: its bucket is, and its cluster.
// Another cluster's is not this account's to settle.
func (e *Engine) mine(ctx context.Context, key docket.Key) (bool, error) {
	if !e.index.owns(key.Bucket()) {
		return false, nil
	}
	d, err := e.Ledger.Load(ctx, key)
	if err == nil && !e.answers(d.Cluster, key.Cluster) {
		e.index.close(key)
		return false, nil
	}
	return err == nil, err
}

// withdraw takes back the claim of a docket that no longer asks for an act.
func (e *Engine) withdraw(ctx context.Context, key docket.Key) error {
	if !e.index.unclaim(key) {
		return nil
	}
	return e.Control.GiveBack(ctx, key.Cluster, key.String())
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

// settleOpen closes an act or undo that a dead process left open. False means that one is
// under way in this process: leave the docket alone.
func (e *Engine) settleOpen(ctx context.Context, key docket.Key) (bool, error) {
	d, err := e.Ledger.Load(ctx, key)
	if err != nil {
		return true, err
	}
	if d.Enforcement == nil || d.Enforcement.State != docket.Intent && d.Enforcement.State != docket.Undoing {
		e.index.settled(key)
		return true, nil
	}
	e.index.doubtful(key)
	gate := e.site(d.Cluster).gate
	if gate == nil {
		return true, fmt.Errorf("%s of %s has an open outcome, and there is no account to look at the cluster with", d.Enforcement.ID, d.Root)
	}
	if !e.index.take(key) {
		return false, nil
	}
	defer e.index.release(key)
	if err := gate.Settle(ctx, key); err != nil {
		return true, err
	}
	e.index.settled(key)
	return true, nil
}

// act files a claim and, once the budget's round has answered, asks the gate.
func (e *Engine) act(ctx context.Context, d docket.Docket, cases []string) error {
	pol := e.policyOf(d, *d.Find(cases[0]))
	// One act answers to one policy; cases of another wait for their own turn.
	cases = slices.DeleteFunc(slices.Clone(cases), func(id string) bool { return e.policyOf(d, *d.Find(id)).Name != pol.Name })
	claim := control.Claim{ID: d.Key.String(), Namespace: d.Root.Namespace, Owner: e.ownerOf(d, d.Find(cases[0]).Rule).Key()}
	for _, id := range cases {
		claim.Rules = append(claim.Rules, d.Find(id).Rule)
	}
	if err := e.Control.File(ctx, d.Key.Cluster, claim); err != nil {
		return err
	}
	e.index.claim(d.Key)
	grant, _, over, err := e.Control.Ask(ctx, d.Key.Cluster, claim.ID)
	if err != nil {
		return err
	}
	if grant.Grant == "" && over == "" {
		e.index.open(d.Key, e.Now().Add(tick))
		return nil
	}
	if !e.index.owns(d.Key.Bucket()) || !e.index.take(d.Key) {
		return nil
	}
	e.senders.Go(func() {
		e.acting <- struct{}{}
		defer func() { <-e.acting }()
		defer e.index.release(d.Key)
		defer e.index.wake(d.Key)
		// An act that has begun is carried through a graceful stop: its time is bounded.
		act, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
		defer cancel()
		if ctx.Err() != nil {
			return
		}
		if err := e.site(d.Cluster).gate.Enforce(act, d.Key, cases, pol); err != nil {
			e.index.doubtful(d.Key)
			e.Log.Error("enforcement is open; it is settled next", "root", d.Root.String(), "err", err)
		}
	})
	return nil
}
