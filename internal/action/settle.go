package action

import (
	"context"
	"fmt"
	"time"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
)

const (
	// workers is how many dockets of one cluster are acted on or settled side by side: each
	// cluster has its own, so that one that hangs holds up no other.
	workers = 4
	// workLimit is how long one of them may take.
	workLimit = 30 * time.Second
)

// settleOpen loads a docket, and has an act or undo settled that a dead process left open, unless
// the ledger is in doubt. False means that one is under way in this process, or that the docket is of a cluster that is not
// ours to touch: leave it alone.
func (e *Engine) settleOpen(ctx context.Context, key docket.Key) (docket.Docket, bool, error) {
	d, err := e.Ledger.Load(ctx, key)
	if err != nil {
		return d, true, err
	}
	if !e.answers(d.Cluster, key.Cluster) {
		e.index.close(key)
		return d, false, nil
	}
	if d.Enforcement == nil || d.Enforcement.State != docket.Intent && d.Enforcement.State != docket.Undoing {
		e.index.settled(key)
		return d, true, nil
	}
	s := e.site(d.Cluster)
	if d.Ordered() {
		e.index.settled(key) // nothing of it is written before it is carried out: no freeze waits for it
	} else {
		e.index.doubtful(key)
	}
	switch {
	case e.last[d.Cluster].Doubt != "":
		return d, true, nil // it may be an act or an order of long ago
	case s.gate == nil && s.never && d.Ordered():
		d, err = e.stopUndo(ctx, key, s.why)
		return d, true, err
	case s.gate == nil:
		return d, true, fmt.Errorf("%s of %s has an open outcome, and there is no account to look at the cluster with", d.Enforcement.ID, d.Root)
	}
	if until := e.index.pausedUntil(key); until.After(e.Now()) {
		e.index.open(key, until)
		return d, false, nil
	}
	if e.index.take(key) {
		e.work(ctx, d.Cluster, key, func(ctx context.Context, s site) error { return e.settleOne(ctx, s.gate, key) })
	}
	return d, false, nil
}

func (e *Engine) settleOne(ctx context.Context, gate Enforcer, key docket.Key) error {
	err := gate.Settle(ctx, key)
	if err != nil {
		e.index.doubtful(key) // something of an order may be written by now
		e.putOff(ctx, key, err)
		return err
	}
	e.index.settled(key)
	return nil
}

// stopUndo answers an order that nobody here can carry out.
func (e *Engine) stopUndo(ctx context.Context, key docket.Key, why string) (docket.Docket, error) {
	return ledger.Update(ctx, e.Ledger, key, func(d docket.Docket) (docket.Docket, []docket.Entry, bool, error) {
		if !d.Ordered() {
			return d, nil, false, nil
		}
		next, entries := docket.StopUndo(d, why+"; mend it, and undo again", e.Now().UTC())
		e.Log.Warn("an undo is stopped: nobody here can carry it out", "root", d.Root.String(), "why", why)
		return next, entries, true, nil
	})
}

// work does something on the cluster of a taken docket, beside everything else, when one of the
// cluster's workers is free. It gets the site as it is then: the account may have been lost
// meanwhile, and without one nothing is done. What fails is tried again after a pause, which grows.
func (e *Engine) work(ctx context.Context, cluster string, key docket.Key, do func(context.Context, site) error) {
	acting := e.site(cluster).acting
	e.senders.Go(func() {
		defer e.index.release(key)
		select {
		case acting <- struct{}{}:
		case <-ctx.Done():
			return
		}
		defer func() { <-acting }()
		if ctx.Err() != nil || !e.index.begin(key) {
			return // it waited for its turn, and is no longer ours
		}
		// What has begun is carried through a graceful stop: its time is bounded.
		once, cancel := context.WithTimeout(context.WithoutCancel(ctx), workLimit)
		defer cancel()
		var err error
		if s := e.site(cluster); s.gate != nil {
			err = do(once, s)
		}
		e.index.ended(key, err)
	})
}
