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

// leads reports whether a message comes from the newest leadership of its cluster. One of a
// deposed leader that goes on is dropped. An older one that speaks while the newest is silent
// is a ledger or a discover of yesterday: a person looks.
func (e *Engine) leads(ctx context.Context, c v1.Cluster, o v1.Order, what string) (bool, error) {
	now := e.Now()
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
		return false, e.Control.Trip(ctx, fmt.Sprintf("the order of observations fell back: epoch %d of %s, and the ledger has seen %d", o.Epoch, what, known.epoch))
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
