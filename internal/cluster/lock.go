package cluster

import (
	"context"
	"errors"

	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// errTermOver ends a term for good.
var errTermOver = errors.New("the Lease is another's, or was: this term is over")

// termLock is the lock of one term. The elector keeps trying for a while when a renewal fails, and
// would take the Lease again that another had meanwhile, and has let go: under the old epoch,
// which nobody hears any more. And when it is told to end, it would let go of what is the other's.
// Here the term is over as soon as the Lease is seen in other hands, or in none. The elector calls
// it from one goroutine.
type termLock struct {
	resourcelock.Interface
	depose func()
	ours   bool
}

// Get implements resourcelock.Interface.
func (l *termLock) Get(ctx context.Context) (*resourcelock.LeaderElectionRecord, []byte, error) {
	record, raw, err := l.Interface.Get(ctx)
	if err == nil && l.ours && record.HolderIdentity != l.Identity() {
		l.depose()
		return nil, nil, errTermOver
	}
	return record, raw, err
}

// Create implements resourcelock.Interface.
func (l *termLock) Create(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	return l.held(l.Interface.Create(ctx, record))
}

// Update implements resourcelock.Interface.
func (l *termLock) Update(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	return l.held(l.Interface.Update(ctx, record))
}

func (l *termLock) held(err error) error {
	l.ours = l.ours || err == nil
	return err
}
