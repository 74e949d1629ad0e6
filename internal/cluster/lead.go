package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync/atomic"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/utils/ptr"
)

// leaseEpoch is the annotation of the newest leadership.
const leaseEpoch = "k8guard.io/epoch"

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
	lock := &resourcelock.LeaseLock{LeaseMeta: metav1.ObjectMeta{Namespace: c.Namespace, Name: LeaseName},
		Client: c.Client.CoordinationV1(), LockConfig: resourcelock.ResourceLockConfig{Identity: holder}}
	lease := c.Lease
	if lease == 0 {
		lease = 15 * time.Second
	}
	term, depose := context.WithCancel(ctx)
	defer depose()
	done := make(chan error, 1)
	var begun atomic.Bool
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
	for err != nil && !over(ctx) {
		c.Log.Warn("discover leads, and cannot write its epoch; trying again", "err", err, "next", "apply deploy/rbac-discover.yaml")
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
		epoch, err = c.claim(ctx, holder)
	}
	if over(ctx) || epoch == 0 {
		return nil
	}
	c.Log.Info("discover leads", "epoch", epoch)
	return do(ctx, epoch)
}

// claim writes the epoch of a leadership into the Lease: later than all that the Lease knows, and
// not before the clock. So a Lease that was made anew, or came back with a restored cluster,
// begins no epoch that was heard before. 0 means that another leads.
func (c Candidate) claim(ctx context.Context, holder string) (int64, error) {
	leases := c.Client.CoordinationV1().Leases(c.Namespace)
	for ctx.Err() == nil {
		lease, err := leases.Get(ctx, LeaseName, metav1.GetOptions{})
		if err != nil {
			return 0, fmt.Errorf("reading the Lease %s/%s: %w", c.Namespace, LeaseName, err)
		}
		if ptr.Deref(lease.Spec.HolderIdentity, "") != holder {
			return 0, nil
		}
		last, _ := strconv.ParseInt(lease.Annotations[leaseEpoch], 10, 64)
		epoch := max(max(last, int64(ptr.Deref(lease.Spec.LeaseTransitions, 0)))+1, c.Now().UnixMilli())
		if lease.Annotations == nil {
			lease.Annotations = map[string]string{}
		}
		lease.Annotations[leaseEpoch] = strconv.FormatInt(epoch, 10)
		_, err = leases.Update(ctx, lease, metav1.UpdateOptions{})
		if err == nil {
			return epoch, nil
		}
		if !apierrors.IsConflict(err) { // else our own renewal came between
			return 0, fmt.Errorf("writing the epoch into the Lease %s/%s: %w", c.Namespace, LeaseName, err)
		}
	}
	return 0, nil
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
