package cluster

import (
	"context"
	"errors"
	"sync/atomic"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// errTermOver ends a term for good.
var errTermOver = errors.New("the Lease is another's, or was: this term is over")

// termLock is the lock of one term. The elector keeps trying for a while when a renewal fails, and
// would take the Lease again that another had meanwhile, and has let go: under the old epoch,
// which nobody hears any more. And when it is told to end, it would let go of what is the other's.
// Here a term that has begun is over as soon as the Lease is seen in other hands, or in none, or
// is gone: whoever makes it anew knows of no epoch.
type termLock struct {
	resourcelock.Interface
	begun  *atomic.Bool
	depose func()
}

// Get implements resourcelock.Interface.
func (l *termLock) Get(ctx context.Context) (*resourcelock.LeaderElectionRecord, []byte, error) {
	record, raw, err := l.Interface.Get(ctx)
	if l.begun.Load() && (apierrors.IsNotFound(err) || err == nil && record.HolderIdentity != l.Identity()) {
		l.depose()
		return nil, nil, errTermOver
	}
	return record, raw, err
}
