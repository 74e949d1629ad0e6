package cluster

import (
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// settles is how long an API server that just started may refuse what it will allow: it
// answers before it has read the roles.
const settles = 10 * time.Second

// patience tells a right that is missing from one that is not known yet.
type patience struct{ since time.Time } // of the refusals in a row, the first

// explain says what was tried and what to do about it. A role is asked for only when the
// refusals last, a new token too.
func (p *patience) explain(now time.Time, verb, resource string, err error) error {
	if !apierrors.IsForbidden(err) && !apierrors.IsUnauthorized(err) {
		p.since = time.Time{}
		return fmt.Errorf("cluster: %s %s; it is tried again: %w", verb, resource, err)
	}
	if p.since.IsZero() {
		p.since = now
	}
	const unknown = "the API server does not know K8Guard's token or certificate (401)"
	switch {
	case now.Sub(p.since) < settles && apierrors.IsUnauthorized(err):
		return fmt.Errorf("cluster: %s %s: %s, as it may be just after its start; it is tried again: %w", verb, resource, unknown, err)
	case now.Sub(p.since) < settles:
		return fmt.Errorf("cluster: %s %s is refused, as it may be just after the API server's start; it is tried again: %w", verb, resource, err)
	case apierrors.IsUnauthorized(err):
		return fmt.Errorf("cluster: %s %s: %s; make it anew (sh deploy/kubeconfig.sh k8guard-discover, then SIGHUP for k8guard run, a restart for any other; "+
			"in a pod: its ServiceAccount): %w", verb, resource, unknown, err)
	}
	rights := "list and watch"
	if verb == "get" {
		rights = "get, list and watch"
	}
	return fmt.Errorf("cluster: may not %s %s; grant %s on %s to K8Guard's discover account (deploy/rbac-discover.yaml): %w",
		verb, resource, rights, resource, err)
}
