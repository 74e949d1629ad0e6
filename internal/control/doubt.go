package control

import (
	"context"
	"fmt"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/ledger"
)

// Doubt is what a breaker keeps of a ledger that may not be the one which the cluster saw last:
// it was restored from an older state, or is another one.
type Doubt struct {
	// Shown is what the cluster showed when the breaker opened for it; empty while there is no
	// doubt. Until a person decides, nobody is told of a case of the cluster either.
	Shown string `json:"shown,omitempty"`
	// Accepted is what the cluster showed when a person took this ledger nevertheless. It holds
	// for that alone: of a ledger that is restored once more it says nothing.
	Accepted string `json:"accepted,omitempty"`
}

func (d *Doubt) accept() {
	if d.Shown != "" {
		d.Shown, d.Accepted = "", d.Shown
	}
}

// Doubted reports whether the breaker of a cluster, by its name, is open for its ledger.
func (b Breakers) Doubted(name string) bool {
	for _, c := range b.Clusters {
		if c.Open && c.Name == name && c.Shown != "" {
			return true
		}
	}
	return false
}

// settles says why a breaker is not closed in the way that was asked for.
func (b Breakers) settles(name string, accept bool) error {
	switch doubted := b.Doubted(name); {
	case doubted && !accept:
		return fmt.Errorf("the breaker of cluster %s is open for a ledger that was restored or is another one: owners may be told again, and what was done since is not known; look at the open cases, then close it with --accept-ledger; nothing changed", name)
	case !doubted && accept:
		return fmt.Errorf("the breaker of cluster %s is not open for its ledger; close it without --accept-ledger; nothing changed", name)
	}
	return nil
}

// TripLedger opens a cluster's breaker for its ledger, also where it is open for something else:
// from now on it holds notices too. Shown is what the cluster shows of the ledger that it saw last.
func (c *Control) TripLedger(ctx context.Context, cluster v1.Cluster, reason, shown string) error {
	fresh := false
	_, err := ledger.UpdateRecord(ctx, c.records, breakerKey, func(b *Breakers) (bool, error) {
		own := b.Clusters[cluster.UID]
		if fresh = !own.Open || own.Shown != shown; !fresh && own.Name == cluster.Name {
			return false, nil
		}
		if fresh {
			why := reason
			if own.Open && own.Shown == "" {
				why = own.Why() + "; " + reason // what is due now, only this reason says
			}
			own.Breaker = Breaker{Open: true, Reason: why, At: c.now().UTC()}
		}
		own.Name, own.Shown, own.Accepted = cluster.Name, shown, ""
		if b.Clusters == nil {
			b.Clusters = map[string]ClusterBreaker{}
		}
		b.Clusters[cluster.UID] = own
		return true, nil
	})
	if err != nil || !fresh {
		return err
	}
	return c.note(ctx, Event{What: EventTripped, Scope: scopeOf(cluster.Name), Reason: reason})
}

// Accept closes the breaker of a cluster that is open for its ledger: a person takes the ledger
// as it is.
func (c *Control) Accept(ctx context.Context, cluster, by, reason string) error {
	return c.shut(ctx, cluster, by, reason, true)
}

// Accepted is what a cluster, by its UID, showed of another or a later ledger when a person took
// this one nevertheless.
func (c *Control) Accepted(ctx context.Context, uid string) (string, error) {
	b, err := c.Breakers(ctx)
	return b.Clusters[uid].Accepted, err
}
