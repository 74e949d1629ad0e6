package action

import (
	"context"
	"fmt"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
)

// leader is the newest leadership of a cluster's discover that this process knows.
type leader struct {
	epoch int64
	older time.Time // since when, with no word of it in between, an older one speaks; or zero
}

// ahead is how far a leadership may lie in the future: its epoch is not before the clock of who
// leads. One of a wrong clock would deafen us to all that come after.
const ahead = 24 * time.Hour

// leads reports whether a message, said at a time, comes from the newest leadership of its
// cluster. What an older one said is dropped: it lay on the bus, it was said again, or its leader
// is deposed and goes on for a moment. One that speaks on and on while the newest is silent is a
// ledger or a discover of yesterday: a person looks.
func (e *Engine) leads(ctx context.Context, c v1.Cluster, o v1.Order, at time.Time, what string) (bool, error) {
	now := e.Now()
	if !e.Alone && o.Epoch > now.Add(ahead).UnixMilli() {
		return false, e.Control.Trip(ctx, c, fmt.Sprintf("discover of %s leads since %s, says its epoch %d: a clock is wrong, and nothing of it is taken; correct it, take the annotation k8guard.io/epoch from Lease k8guard-discover, start discover again, then close the breaker",
			c.Name, time.UnixMilli(o.Epoch).UTC().Format(time.RFC3339), o.Epoch))
	}
	known, ok := e.index.leader(c.UID)
	if !ok || o.Epoch > known.epoch {
		newest, err := e.Control.SeeEpoch(ctx, c.UID, o.Epoch)
		if err != nil {
			return false, err
		}
		known = leader{epoch: newest}
	}
	switch {
	case o.Epoch == known.epoch:
		known.older = time.Time{}
	case known.older.IsZero() && e.lately(at):
		known.older = now
	}
	e.index.setLeader(c.UID, known)
	if o.Epoch == known.epoch {
		return true, nil
	}
	if e.Alone || e.lately(at) && now.Sub(known.older) > 2*e.Config.Discover.Resync {
		return false, e.fellBack(ctx, c, o, what, known.epoch)
	}
	return false, nil
}

// lately reports whether something was said no longer ago than everything is said again. What
// is older lay on the bus, and tells nothing of who speaks now.
func (e *Engine) lately(at time.Time) bool { return e.Now().Sub(at) <= 2*e.Config.Discover.Resync }

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
	e.index.setLeader(o.Cluster.UID, leader{epoch: newest})
	return nil
}

func (e *Engine) fellBack(ctx context.Context, c v1.Cluster, o v1.Order, what string, seen int64) error {
	hint := ""
	if !e.Alone {
		hint = "; if the Lease k8guard-discover was made anew or restored, start discover again, which begins a later one, then close the breaker"
	}
	return e.Control.Trip(ctx, c, fmt.Sprintf("the order of observations fell back: epoch %d of %s, and the ledger has seen %d%s", o.Epoch, what, seen, hint))
}

// Follow says which leadership of a cluster's discover runs beside this engine, before Run.
func (e *Engine) Follow(cluster string, epoch int64) {
	e.index.setLeader(cluster, leader{epoch: epoch})
}

func (x *index) leader(cluster string) (leader, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	l, ok := x.leaders[cluster]
	return l, ok
}

func (x *index) setLeader(cluster string, l leader) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.leaders[cluster].epoch <= l.epoch {
		x.leaders[cluster] = l
	}
}
