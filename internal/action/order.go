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
	heard time.Time // a word of it
}

// ahead is how far a leadership may lie in the future: its epoch is not before the clock of who
// leads. One of a wrong clock would deafen us to all that come after.
const ahead = 24 * time.Hour

// leads reports whether a message comes from the newest leadership of its cluster. One of a
// deposed leader that goes on is dropped. An older one that speaks while the newest is silent
// is a ledger or a discover of yesterday: a person looks.
func (e *Engine) leads(ctx context.Context, c v1.Cluster, o v1.Order, what string) (bool, error) {
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
		known = leader{newest, now}
		e.index.setLeader(c.UID, known)
	}
	if o.Epoch == known.epoch {
		e.index.setLeader(c.UID, leader{known.epoch, now})
		return true, nil
	}
	if e.Alone || now.Sub(known.heard) > 2*e.Config.Discover.Resync {
		hint := ""
		if !e.Alone {
			hint = "; if the Lease k8guard-discover was made anew or restored, start discover again, which begins a later one, then close the breaker"
		}
		return false, e.Control.Trip(ctx, c, fmt.Sprintf("the order of observations fell back: epoch %d of %s, and the ledger has seen %d%s", o.Epoch, what, known.epoch, hint))
	}
	return false, nil
}

// Follow says which leadership of a cluster's discover runs beside this engine, before Run.
func (e *Engine) Follow(cluster string, epoch int64) {
	e.index.setLeader(cluster, leader{epoch, e.Now()})
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
