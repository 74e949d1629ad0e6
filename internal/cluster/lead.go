package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// Candidate is a replica of discover: of all that run for one cluster, one leads.
type Candidate struct {
	Client    kubernetes.Interface
	Namespace string
	Holder    string // this process, new at each start
	Now       func() time.Time
	Log       *slog.Logger
	// Lease is how long a leader that is silent keeps the others waiting; 0 is 15 s.
	Lease time.Duration
}

// Lead waits until this replica leads, runs do with the epoch of its leadership, and begins
// anew when it is deposed, until ctx ends or do fails; what fails because its time is over does
// not count. Epochs rise with each leadership, see claim. A leader that is deposed while it is
// paused may go on for a moment when it wakes; its epoch tells its words apart.
func (c Candidate) Lead(ctx context.Context, do func(ctx context.Context, epoch int64) error) error {
	for n := 1; ctx.Err() == nil; n++ {
		// A new name for each term: the same one would take over its own old epoch.
		if err := c.term(ctx, fmt.Sprintf("%s-%d", c.Holder, n), do); err != nil {
			return err
		}
	}
	return nil
}

func (c Candidate) term(ctx context.Context, holder string, do func(context.Context, int64) error) error {
	term, depose := context.WithCancel(ctx)
	defer depose()
	var begun atomic.Bool
	lock := &termLock{begun: &begun, depose: depose, Interface: &resourcelock.LeaseLock{LeaseMeta: metav1.ObjectMeta{Namespace: c.Namespace, Name: LeaseName},
		Client: c.Client.CoordinationV1(), LockConfig: resourcelock.ResourceLockConfig{Identity: holder}}}
	lease := c.Lease
	if lease == 0 {
		lease = 15 * time.Second
	}
	done := make(chan error, 1)
	elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Lock: lock, LeaseDuration: lease, RenewDeadline: 2 * lease / 3, RetryPeriod: lease / 8, ReleaseOnCancel: true, Name: LeaseName,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(until context.Context) {
				begun.Store(true)
				err := c.reign(until, holder, do)
				if err != nil && over(until) {
					c.Log.Warn("discover was deposed and stands by again", "err", err)
					err = nil
				}
				done <- err
				depose()
			},
			OnStoppedLeading: func() {},
			OnNewLeader:      func(who string) { c.Log.Info("discover is led", "by", who) },
		}})
	if err != nil {
		return err
	}
	elector.Run(term)
	if !begun.Load() {
		return nil // it never led: what begins only now finds its time over
	}
	select {
	case err := <-done:
		return err
	case <-time.After(time.Minute):
		return errors.New("discover was deposed, and what it runs does not stop")
	}
}

// reign runs one leadership, if it is still ours when its epoch is read.
func (c Candidate) reign(ctx context.Context, holder string, do func(context.Context, int64) error) error {
	epoch, err := c.claim(ctx, holder)
	for wait := time.Second; err != nil && !over(ctx); wait = min(2*wait, 15*time.Second) {
		c.Log.Warn("discover leads, and cannot write its epoch; trying again", "err", err, "next", "apply deploy/rbac-discover.yaml")
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
		epoch, err = c.claim(ctx, holder)
	}
	if over(ctx) || epoch == 0 {
		return nil
	}
	c.Log.Info("discover leads", "epoch", epoch)
	return do(ctx, epoch)
}

// over reports whether a term has ended.
func over(ctx context.Context) bool {
	select {
	case <-ctx.Done():
		return true
	default:
		return false
	}
}
