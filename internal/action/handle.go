package action

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/crash"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/enforce"
	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/owner"
)

// errUndoing puts an observation off: whose the new object is, the undo will tell.
var errUndoing = errors.New("an undo of this name is under way")

// handle takes one message off the bus.
func (e *Engine) handle(ctx context.Context, m v1.Message) error {
	switch {
	case m.Observation != nil:
		return e.observe(ctx, *m.Observation)
	case m.Inventory != nil:
		return e.inventory(ctx, *m.Inventory)
	case m.Wake != nil:
		e.wake(*m.Wake)
	}
	return nil
}

// wake looks soon at what another replica, or a report, says has changed.
func (e *Engine) wake(w v1.Wake) {
	switch {
	case w.Docket != "" && w.Order:
		e.index.unpause(keyFrom(w.Docket))
	case w.Docket != "":
		e.index.open(keyFrom(w.Docket), e.Now())
	case w.Notice != "":
		e.boxes.sendAgain(w.Notice)
	case w.Box != "":
		e.boxes.add(w.Box)
	}
}

func (e *Engine) observe(ctx context.Context, o v1.Observation) error {
	if !e.answers(o.Cluster.Name, o.Cluster.UID) {
		return nil
	}
	if leads, err := e.leads(ctx, o.Cluster, o.Order, o.At, o.Root.String()); err != nil || !leads {
		return err
	}
	key, err := e.keyOf(ctx, o)
	if errors.Is(err, errUndoing) {
		// Not held up here, where everybody's messages pass: it is said again soon.
		time.AfterFunc(time.Second, func() { e.Bus.Request(key) })
		return nil
	}
	if err != nil {
		return err
	}
	o.Owner = e.reachable(o.Owner)
	o.Owners = maps.Clone(o.Owners)
	for rule, who := range o.Owners {
		o.Owners[rule] = e.reachable(who)
	}
	family, before, err := e.family(ctx, key, o)
	if err != nil {
		return err
	}
	crash.At(crash.BeforeLedger)
	d, err := ledger.Update(ctx, e.Ledger, key, func(d docket.Docket) (docket.Docket, []docket.Entry, bool, error) {
		next, entries, changed := docket.Observe(d, o)
		// A clean root costs nothing: no docket is made for it.
		if d.Version == 0 && len(next.Cases) == 0 {
			return d, nil, false, nil
		}
		if d.Version == 0 {
			next.FamilyKey, _ = familyKey(o)
			next.Family, next.Before = family, before
		}
		return next, entries, changed, nil
	})
	if errors.Is(err, ledger.ErrTooLarge) {
		e.Log.Error("an object is too large to keep; it goes stale and is never acted on", "root", o.Root.String(), "err", err)
		return nil
	}
	if err != nil {
		return fmt.Errorf("applying an observation of %s: %w", o.Root, err)
	}
	crash.At(crash.AfterLedger)
	if o.Order.Epoch < d.Order.Epoch {
		return e.outdated(ctx, o, d.Order.Epoch)
	}
	if d.Version > 0 && !e.has(key.Bucket()) {
		e.wakeDocket(ctx, key) // a root that came back: another has its docket
		return nil
	}
	if d.Version == 0 || !d.Live() {
		e.index.close(key)
		return nil
	}
	if d.Hash == o.Hash && !o.Order.Before(d.Order) {
		e.index.sight(key, o.Hash, o.At)
	}
	e.index.follow(key, d.Aliases)
	e.index.open(key, e.Now())
	return nil
}

// reachable is the owner, as far as mail may go to them, or else the fallback.
func (e *Engine) reachable(o v1.Owner) v1.Owner {
	return owner.Resolve(owner.Reachable(o, e.Config.Notify.Email.Domains), e.Config.Owners)
}

// keyOf finds the docket of a root: its own, or the one that an undo made it part of.
func (e *Engine) keyOf(ctx context.Context, o v1.Observation) (docket.Key, error) {
	key := docket.Key{Cluster: o.Cluster.UID, Root: o.Root.UID}
	switch o.Root.Kind {
	case "":
		return e.lost(ctx, o)
	case "Ingress":
	default:
		return key, nil
	}
	alias, err := ledger.Read[enforce.Alias](ctx, e.Ledger, enforce.AliasKey(o.Cluster.UID, o.Root.Namespace, o.Root.Name))
	switch {
	case err != nil:
		return key, err
	case alias.UID == o.Root.UID:
		return alias.Docket, nil
	case alias.Pending && alias.Docket.Root != o.Root.UID:
		return key, errUndoing
	}
	return key, nil
}

// inventory notes what was sighted, asks again for what differs, and closes what is gone
// from a kind that was read completely.
func (e *Engine) inventory(ctx context.Context, inv v1.Inventory) error {
	if !e.answers(inv.Cluster.Name, inv.Cluster.UID) {
		return nil
	}
	if leads, err := e.leads(ctx, inv.Cluster, inv.Order, inv.At, "an inventory"); err != nil || !leads {
		return err
	}
	live := make(map[string]string, len(inv.Roots))
	for _, s := range inv.Roots {
		live[s.UID] = s.Hash
	}
	complete := map[string]bool{}
	for _, k := range inv.Kinds {
		complete[k] = true
	}
	for key, known := range e.index.inBucket(inv.Bucket) {
		if key.Cluster != inv.Cluster.UID {
			continue
		}
		now, there := live[known.uid]
		switch {
		case there && known.hash == now:
			e.index.sight(key, now, inv.At)
		case there:
			e.Bus.Request(docket.Key{Cluster: key.Cluster, Root: known.uid})
		default:
			if err := e.missing(ctx, key, known.uid, inv, complete); err != nil {
				return err
			}
		}
	}
	e.index.setAudit(inv.Cluster, audit{judged: inv.Judged, violating: inv.Violating, missing: inv.Missing, order: inv.Order, at: inv.At})
	return nil
}

// missing closes a docket whose root is in no inventory of its complete kind. A root that
// came back under another UID than was looked for is in that one's bucket.
func (e *Engine) missing(ctx context.Context, key docket.Key, uid string, inv v1.Inventory, complete map[string]bool) error {
	d, err := e.Ledger.Load(ctx, key)
	if err != nil || !complete[d.Root.Kind] || !d.GoneAt.IsZero() || !d.Order.Before(inv.Order) {
		return err
	}
	if n := len(d.Aliases); n > 0 && d.Aliases[n-1] != uid {
		e.index.follow(key, d.Aliases)
		return nil
	}
	return e.observe(ctx, v1.Observation{V: v1.Version, Cluster: inv.Cluster, Root: d.Root, Order: inv.Order,
		At: inv.At, State: v1.Gone})
}
