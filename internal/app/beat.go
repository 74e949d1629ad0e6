package app

import (
	"context"
	"time"

	"github.com/k8guard/k8guard/internal/cluster"
)

// beat renews discover's own Lease, so that people and a second K8Guard see who audits
// this cluster. Embedded, the ledger's lock already elects; the Lease only tells.
func (in *instance) beat(ctx context.Context) {
	lease := cluster.Lease{Client: in.client, Namespace: in.Config.Cluster.Namespace, Holder: in.holder, Now: in.Now}
	every := max(10*time.Second, in.Config.Discover.Resync/2)
	for {
		if err := lease.Renew(ctx, every); err != nil && ctx.Err() == nil {
			in.Log.Warn("discover's Lease was not renewed", "err", err, "next", "apply deploy/rbac-discover.yaml")
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(every):
		}
	}
}
