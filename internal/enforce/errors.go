package enforce

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// watchErrors trips the breaker when the gate could not read its ground several times in a
// row: a cluster or a ledger in trouble is no place to act in. What is absent, and a
// conflict, are answers, not errors.
func (e *Enforcer) watchErrors(ctx context.Context, f Facts) error {
	failed := error(nil)
	for _, err := range []error{f.Live.Err, f.Owner.Err, f.Around.Err, f.Freeze.Err, f.Permit.Err, f.Breaker.Err, f.Grant.Err} {
		if err != nil && !apierrors.IsNotFound(err) {
			failed = err
		}
	}
	if failed == nil {
		e.failures.Store(0)
		return nil
	}
	n := e.failures.Add(1)
	if limit := e.Config.Enforce.Breaker.Errors; limit < 1 || int(n) < limit {
		return nil
	}
	e.failures.Store(0)
	return e.Control.Trip(ctx, e.Cluster, fmt.Sprintf("%d reads of the gate failed in a row, the last: %v", n, failed))
}
