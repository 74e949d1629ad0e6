package cluster

import (
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/utils/ptr"
)

// LeaseName is discover's own Lease, the one thing that its account may write.
const LeaseName = "k8guard-discover"

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
