package control

import (
	"context"

	"github.com/k8guard/k8guard/internal/ledger"
)

// epoch is the newest leadership of a cluster's discover of which the ledger knows.
type epoch struct {
	N int64 `json:"n"`
}

func epochKey(cluster string) string { return "epoch/" + cluster }

// NextEpoch begins a leadership of a cluster (its UID) that outranks all before.
func (c *Control) NextEpoch(ctx context.Context, cluster string) (int64, error) {
	e, err := ledger.UpdateRecord(ctx, c.records, epochKey(cluster), func(e *epoch) (bool, error) {
		e.N++
		return true, nil
	})
	return e.N, err
}

// SeeEpoch notes a leadership that somebody else began, and returns the newest one.
func (c *Control) SeeEpoch(ctx context.Context, cluster string, n int64) (int64, error) {
	e, err := ledger.UpdateRecord(ctx, c.records, epochKey(cluster), func(e *epoch) (bool, error) {
		if n <= e.N {
			return false, nil
		}
		e.N = n
		return true, nil
	})
	return e.N, err
}
