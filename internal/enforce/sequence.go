package enforce

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/k8guard/k8guard/internal/control"
	"github.com/k8guard/k8guard/internal/ledger"
)

// LeaseName is action's own Lease: it shows which ledger was here last, and how far it was. It
// is shipped with the account, which may not create one.
const LeaseName = "k8guard-action"

const (
	leaseLedger   = "k8guard.io/ledger"
	leaseSequence = "k8guard.io/sequence"
)

type identity = ledger.Identity

// CheckLedger makes sure that this ledger is the one which the cluster saw last, and shows it
// how far it is: any older state of it is known from now on. Where it fell back, or another one
// was here, the breaker opens, and holds notices too until a person decides.
func (e *Enforcer) CheckLedger(ctx context.Context) error {
	if err := e.there(ctx); err != nil {
		return err
	}
	return e.raiseSequence(ctx)
}

// raiseSequence moves the ledger's sequence and shows it on our Lease, now and again and before
// an act. The Lease is read first: what it shows was in the ledger before, so a ledger that has
// less was restored from an older state, however many acts go on side by side.
func (e *Enforcer) raiseSequence(ctx context.Context) error {
	leases := e.Client.CoordinationV1().Leases(e.Config.Cluster.Namespace)
	lease, err := leases.Get(ctx, LeaseName, metav1.GetOptions{})
	switch {
	case apierrors.IsUnauthorized(err):
		return fmt.Errorf("the API server does not know action's token or certificate (401): %w; if it lasts, make it anew (sh deploy/kubeconfig.sh k8guard-action)", err)
	case err != nil:
		return fmt.Errorf("%w; if it lasts, apply deploy/rbac-action.yaml", err)
	}
	accepted, err := e.Control.Accepted(ctx, e.Cluster.UID)
	if err != nil {
		return err
	}
	// A ledger that is behind must not catch up by being asked: it is judged as it stands.
	id, err := ledger.UpdateRecord(ctx, e.Store, ledger.IdentityKey, func(i *identity) (bool, error) {
		if i.ID == "" {
			i.ID = e.Holder
		}
		if err := e.behind(lease, *i); err != nil {
			if accepted != shown(lease) {
				return false, err
			}
			i.Seq = overtaken(lease, *i)
		}
		i.Seq++
		return true, nil
	})
	var fell fellBack
	if errors.As(err, &fell) {
		return errors.Join(err, e.Control.TripLedger(ctx, e.Cluster, err.Error(), shown(lease)))
	}
	if err != nil {
		return err
	}
	return e.show(ctx, lease, id)
}

// shown is what the Lease says of the ledger that the cluster saw last.
func shown(lease *coordinationv1.Lease) string {
	return lease.Annotations[leaseLedger] + "/" + lease.Annotations[leaseSequence]
}

// overtaken is where a ledger goes on that a person took as it is: no number of before comes again.
func overtaken(lease *coordinationv1.Lease, i identity) int64 {
	seq, err := strconv.ParseInt(lease.Annotations[leaseSequence], 10, 64)
	if err != nil || lease.Annotations[leaseLedger] != i.ID {
		return i.Seq
	}
	return max(i.Seq, seq)
}

// fellBack is a ledger that must not act; only a person can say why it is so.
type fellBack struct{ text string }

func (f fellBack) Error() string { return f.text }

// behind says why a ledger must not act when the cluster has seen more than it, or another.
func (e *Enforcer) behind(lease *coordinationv1.Lease, id identity) error {
	other := lease.Annotations[leaseLedger]
	seq, err := strconv.ParseInt(lease.Annotations[leaseSequence], 10, 64)
	doubt := func(why string) error {
		return fellBack{control.Advise(why, fmt.Sprintf(`look at the open cases, then: k8guard breaker close --cluster %s --accept-ledger --reason "..."; until then nobody is told and nothing is done`, e.Cluster.Name))}
	}
	switch {
	case other == "":
		return nil
	case other != id.ID:
		return doubt(fmt.Sprintf("another ledger (%s) worked on this cluster last, this one is %s: a second K8Guard runs, which must be stopped, or the ledger was lost or imported", other, id.ID))
	case err != nil:
		return doubt(fmt.Sprintf("the sequence on Lease %s cannot be read: %v", LeaseName, err))
	case seq > id.Seq:
		return doubt(fmt.Sprintf("the ledger fell back: the cluster has seen sequence %d, the ledger is at %d: it was restored from an older state, and what was told and done since is not in it", seq, id.Seq))
	}
	return nil
}

// show writes to the Lease, or finds that an act beside this one showed more.
func (e *Enforcer) show(ctx context.Context, lease *coordinationv1.Lease, id identity) error {
	leases := e.Client.CoordinationV1().Leases(e.Config.Cluster.Namespace)
	for range 2 * conflicts {
		seq, _ := strconv.ParseInt(lease.Annotations[leaseSequence], 10, 64)
		if lease.Annotations[leaseLedger] == id.ID && seq >= id.Seq {
			return nil
		}
		_, err := leases.Update(ctx, e.stamp(lease, id), metav1.UpdateOptions{})
		if !apierrors.IsConflict(err) {
			return err
		}
		if lease, err = leases.Get(ctx, LeaseName, metav1.GetOptions{}); err != nil {
			return err
		}
		if other := lease.Annotations[leaseLedger]; other != "" && other != id.ID {
			return e.behind(lease, id)
		}
	}
	return fmt.Errorf("lease %s changed %d times meanwhile", LeaseName, 2*conflicts)
}

func (e *Enforcer) stamp(l *coordinationv1.Lease, id identity) *coordinationv1.Lease {
	if l.Annotations == nil {
		l.Annotations = map[string]string{}
	}
	l.Annotations[leaseLedger], l.Annotations[leaseSequence] = id.ID, strconv.FormatInt(id.Seq, 10)
	l.Spec.HolderIdentity = ptr.To(e.Holder)
	l.Spec.RenewTime = ptr.To(metav1.NewMicroTime(e.Now()))
	return l
}
