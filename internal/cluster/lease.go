package cluster

import (
	"context"
	"fmt"
	"strconv"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/utils/ptr"
)

// LeaseName is discover's own Lease, the one thing that its account may write.
const LeaseName = "k8guard-discover"

// leaseEpoch is the annotation of the newest leadership.
const leaseEpoch = "k8guard.io/epoch"

// Lease shows on the cluster who audits it.
type Lease struct {
	Client    kubernetes.Interface
	Namespace string
	Holder    string
	Now       func() time.Time
}

// Renew writes holder and time into the Lease, which must exist (deploy/rbac-discover.yaml
// brings it). It is to be called at least every "every".
func (l Lease) Renew(ctx context.Context, every time.Duration) error {
	leases := l.Client.CoordinationV1().Leases(l.Namespace)
	lease, err := leases.Get(ctx, LeaseName, metav1.GetOptions{})
	if err != nil {
		return fmt.Errorf("lease %s/%s: %w", l.Namespace, LeaseName, err)
	}
	now := metav1.NewMicroTime(l.Now())
	if ptr.Deref(lease.Spec.HolderIdentity, "") != l.Holder {
		lease.Spec.AcquireTime = &now
		lease.Spec.LeaseTransitions = ptr.To(ptr.Deref(lease.Spec.LeaseTransitions, 0) + 1)
	}
	lease.Spec.HolderIdentity, lease.Spec.RenewTime = &l.Holder, &now
	lease.Spec.LeaseDurationSeconds = ptr.To(int32(2 * every / time.Second)) //nolint:gosec // minutes, in seconds
	_, err = leases.Update(ctx, lease, metav1.UpdateOptions{})
	return err
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
