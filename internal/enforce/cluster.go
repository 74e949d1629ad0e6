package enforce

import (
	"context"
	"errors"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/k8guard/k8guard/internal/docket"
)

// ours refuses a docket of another cluster: what is absent here says nothing of an object
// there.
func (e *Enforcer) ours(key docket.Key, d docket.Docket) error {
	if key.Cluster == e.Cluster.UID {
		return nil
	}
	return fmt.Errorf("docket %s is of cluster %s (%s), and this K8Guard acts on cluster %s (%s); use the K8Guard of that cluster",
		key, d.Cluster, key.Cluster, e.Cluster.Name, e.Cluster.UID)
}

// there makes sure that action's account looks at the cluster of its dockets just now. Where
// it does not, the breaker opens.
func (e *Enforcer) there(ctx context.Context) error {
	uid, err := e.liveUID(ctx)
	if err != nil {
		return fmt.Errorf("reading the cluster's identity: %w", err)
	}
	if uid == e.Cluster.UID {
		return nil
	}
	return errors.Join(fmt.Errorf("the dockets are of cluster %s (%s), and action's account looks at cluster %s; correct cluster.actionKubeconfig",
		e.Cluster.Name, e.Cluster.UID, uid), e.changed(ctx, uid))
}

// identity trips the breaker when the cluster is another than the one that was judged.
func (e *Enforcer) identity(ctx context.Context) error {
	uid, err := e.liveUID(ctx)
	if err != nil {
		return err
	}
	if uid != e.Cluster.UID {
		return e.changed(ctx, uid)
	}
	return nil
}

func (e *Enforcer) changed(ctx context.Context, uid string) error {
	return e.Control.Trip(ctx, e.Cluster, fmt.Sprintf("the cluster's identity changed from %s to %s", e.Cluster.UID, uid))
}

// liveUID is the UID of kube-system, by which a cluster is known.
func (e *Enforcer) liveUID(ctx context.Context) (string, error) {
	ns, err := e.Client.CoreV1().Namespaces().Get(ctx, metav1.NamespaceSystem, metav1.GetOptions{})
	if err != nil {
		return "", err
	}
	return string(ns.UID), nil
}
