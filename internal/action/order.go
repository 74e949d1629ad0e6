package action

import (
	"context"
	"fmt"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/control"
)

// leader is the newest leadership of a cluster's discover that this process knows.
type leader struct {
	epoch int64
	since time.Time // when this process learned of it
	// An older one that speaks, with no word of the newest in between: the first and the last that
	// it said later than that, and its epoch.
	first, last time.Time
	older       int64
}

// hear notes a word of an epoch, said at a time. What an older leadership said before the newest
// was known is no sign of anything: it lay on the bus, or is said again.
func (l *leader) hear(epoch int64, at time.Time) {
	if epoch == l.epoch {
		if !at.Before(l.first) { // else it is itself of before
			l.first, l.last, l.older = time.Time{}, time.Time{}, 0
		}
		return
	}
	l.older = epoch
	if !at.After(l.since) {
		return
	}
	if l.first.IsZero() || at.Before(l.first) {
		l.first = at
	}
	if at.After(l.last) {
		l.last = at
	}
}

// ahead is how far a leadership may lie in the future: its epoch is not before the clock of who
// leads. One of a wrong clock would deafen us to all that come after.
const ahead = 24 * time.Hour

// leads reports whether a message, said at a time, comes from the newest leadership of its
// cluster. What an older one said is dropped: it lay on the bus, it was said again, or its leader
// is deposed and goes on for a moment. One that says more for two resyncs while the newest is
// silent is a ledger or a discover of yesterday: a person looks.
func (e *Engine) leads(ctx context.Context, c v1.Cluster, o v1.Order, at time.Time, what string) (bool, error) {
	if !e.Alone && o.Epoch > e.Now().Add(ahead).UnixMilli() {
		return false, e.Control.Trip(ctx, c, control.Advise(
			fmt.Sprintf("discover of %s leads since %s, says its epoch %d: a clock is wrong, and nothing of it is taken", c.Name, time.UnixMilli(o.Epoch).UTC().Format(time.RFC3339), o.Epoch),
			"correct the clock, take the annotation k8guard.io/epoch from Lease k8guard-discover, start discover again, then close the breaker"))
	}
	if known, ok := e.index.leader(c.UID); !ok || o.Epoch > known.epoch {
		newest, err := e.Control.SeeEpoch(ctx, c.UID, o.Epoch)
		if err != nil {
			return false, err
		}
		e.index.learn(c.UID, newest)
	}
	known := e.index.hear(c.UID, o.Epoch, at)
	if o.Epoch == known.epoch {
		return true, nil
	}
	if e.Alone || known.last.Sub(known.first) > 2*e.Config.Discover.Resync {
		return false, e.fellBack(ctx, c, o, what, known.epoch)
	}
	return false, nil
}

// outdated handles a word that is older than what a docket knows by a leadership: another
// replica, which had the docket before, may know of one that this process has not heard. Where
// not even the ledger knows of it, the ledger's record of leaderships fell back.
func (e *Engine) outdated(ctx context.Context, o v1.Observation, applied int64) error {
	newest, err := e.Control.SeeEpoch(ctx, o.Cluster.UID, o.Order.Epoch)
	if err != nil {
		return err
	}
	if e.Alone || newest < applied {
		return e.fellBack(ctx, o.Cluster, o.Order, o.Root.String(), applied)
	}
	e.index.learn(o.Cluster.UID, newest)
	return nil
}

// mend is how a leadership comes to be heard again.
const mend = "if the Lease k8guard-discover was made anew or restored, start discover again, which begins a later one, then close the breaker"

func (e *Engine) fellBack(ctx context.Context, c v1.Cluster, o v1.Order, what string, seen int64) error {
	why := fmt.Sprintf("the order of observations fell back: epoch %d of %s, and the ledger has seen %d", o.Epoch, what, seen)
	if !e.Alone {
		why = control.Advise(why, mend)
	}
	return e.Control.Trip(ctx, c, why)
}

// Follow says which leadership of a cluster's discover runs beside this engine, before Run.
func (e *Engine) Follow(cluster string, epoch int64) { e.index.learn(cluster, epoch) }

func (x *index) leader(cluster string) (leader, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	l, ok := x.leaders[cluster]
	return l, ok
}

// learn notes a leadership, if it is the newest.
func (x *index) learn(cluster string, epoch int64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if l, ok := x.leaders[cluster]; !ok || l.epoch < epoch {
		x.leaders[cluster] = leader{epoch: epoch, since: x.now()}
	}
}

func (x *index) hear(cluster string, epoch int64, at time.Time) leader {
	x.mu.Lock()
	defer x.mu.Unlock()
	l := x.leaders[cluster]
	l.hear(epoch, at)
	x.leaders[cluster] = l
	return l
}
