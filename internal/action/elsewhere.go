package action

import (
	"context"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/enforce"
	"github.com/k8guard/k8guard/internal/ledger"
)

// elsewhere sees to a root that came back under a UID which lies with another replica. What is
// said of it is heard there, and kept in the docket: so the docket tells whether it was sighted.
// The inventories do not come here either: its word is asked for before it goes stale.
func (e *Engine) elsewhere(d docket.Docket) {
	n := len(d.Aliases)
	if n == 0 {
		return
	}
	alive := docket.Key{Cluster: d.Key.Cluster, Root: d.Aliases[n-1]}
	if e.index.owns(alive.Bucket()) {
		return
	}
	e.index.sight(d.Key, d.Hash, d.ObservedAt)
	if e.Now().Sub(d.ObservedAt) >= e.Config.Discover.Resync/2 {
		e.Bus.Request(alive)
	}
}

// lost finds the docket of a root of which only the UID is known: discover was asked for it, and
// it is gone.
func (e *Engine) lost(ctx context.Context, o v1.Observation) (docket.Key, error) {
	key := docket.Key{Cluster: o.Cluster.UID, Root: o.Root.UID}
	before, err := ledger.Read[docket.Key](ctx, e.Ledger, enforce.AliasUIDKey(o.Cluster.UID, o.Root.UID))
	if err == nil && before != (docket.Key{}) {
		key = before
	}
	return key, err
}
