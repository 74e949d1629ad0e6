package discover

import (
	"context"
	"maps"
	"slices"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/cluster"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/entity"
)

// key is a root.
type key struct {
	kind entity.Kind
	uid  string
}

type operation int

const (
	evaluate      operation = iota // a root may have changed
	answer                         // a root was asked for; its kind is not known
	another                        // a stranger says that a root is worth another look
	sweep                          // a kind was read, began to fail or recovered
	takeInventory                  // the resync is due
)

type task struct {
	op  operation
	key key
	// generation keeps the second looks at two changes apart.
	generation int64
}

// state is what is remembered of a live root. Published is nil until it was published once
// by this process.
type state struct {
	hash       string
	published  *v1.Root
	generation int64
	findings   []finding // by rule; none of a rule that passes
}

// again is the default of Settings.Again: twice what an act takes to settle.
const again = 2 * docket.ActSettles

// retry is the pause before a message that the bus refused is said again.
const retry = time.Second

func (d *Discover) work(ctx context.Context) {
	for {
		t, stopped := d.queue.Get()
		if stopped {
			return
		}
		err := d.do(ctx, t)
		d.queue.Done(t)
		if err != nil && ctx.Err() == nil {
			d.settings.Log.Error("a message could not be published; it is said again", "err", err)
			d.queue.AddAfter(t, retry)
		}
	}
}

func (d *Discover) do(ctx context.Context, t task) error {
	switch t.op {
	case answer:
		return d.answer(ctx, t.key.uid)
	case another:
		return d.lookAgain(ctx, t.key)
	case sweep:
		return d.sweep(ctx, false)
	case takeInventory:
		return d.sweep(ctx, true) // a watch that was silent may have spoken again, or has fallen silent
	}
	return d.evaluate(ctx, t.key, false)
}

// answer says one root again. Only when every kind was read is an unknown UID gone.
func (d *Discover) answer(ctx context.Context, uid string) error {
	for _, kind := range entity.Kinds() {
		k := key{kind, uid}
		d.mu.Lock()
		_, seen := d.roots[k]
		d.mu.Unlock()
		if seen || d.settings.Watcher.Get(kind, uid) != nil {
			return d.evaluate(ctx, k, true)
		}
	}
	if len(d.completeKinds()) < len(entity.Kinds()) {
		return nil
	}
	return d.publishGone(ctx, v1.Root{UID: uid})
}

// sweep evaluates every root of each kind that has become readable, or readable in another
// way, and then takes an inventory; also without any change if that is due.
func (d *Discover) sweep(ctx context.Context, due bool) error {
	changed := due
	for _, kind := range entity.Kinds() {
		now := d.mode(kind)
		d.mu.Lock()
		same := d.swept[kind] == now
		d.mu.Unlock()
		if same || !now.ready {
			continue
		}
		changed = true
		if err := d.sweepKind(ctx, kind); err != nil {
			return err
		}
		d.mu.Lock()
		d.swept[kind] = now
		d.mu.Unlock()
	}
	if err := d.forget(ctx); err != nil || !changed {
		return err
	}
	return d.inventories(ctx)
}

// forget settles the roots whose loss was not certain when it was seen.
func (d *Discover) forget(ctx context.Context) error {
	var lost []key
	d.mu.Lock()
	keys := slices.Collect(maps.Keys(d.roots))
	d.mu.Unlock()
	for _, k := range keys {
		if _, standing := d.rootOf(d.settings.Watcher.Get(k.kind, k.uid)); standing == noRoot {
			lost = append(lost, k)
		}
	}
	for _, k := range lost {
		if err := d.evaluate(ctx, k, false); err != nil {
			return err
		}
	}
	return nil
}

func (d *Discover) sweepKind(ctx context.Context, kind entity.Kind) error {
	var keys []key
	d.settings.Watcher.Each(kind, func(r *cluster.Record) { keys = append(keys, key{kind, r.UID}) })
	for _, k := range keys {
		if err := d.evaluate(ctx, k, false); err != nil {
			return err
		}
	}
	return nil
}
