package cluster

import (
	"errors"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// A server that has just started refuses what it will allow: nobody is sent to the roles
// before that has passed.
func TestARoleIsAskedForOnlyWhenRefusalsLast(t *testing.T) {
	no := apierrors.NewForbidden(schema.GroupResource{Resource: "pods"}, "", errors.New("no"))
	from := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	var p patience
	for _, step := range []struct {
		after  time.Duration
		err    error
		advice bool
	}{
		{0, errors.New("connection refused"), false},
		{time.Minute, no, false},
		{time.Minute + settles - 1, no, false},
		{time.Minute + settles, no, true},
		{time.Hour, no, true},
		{time.Hour, apierrors.NewUnauthorized("no"), false},
		{2 * time.Hour, errors.New("connection refused"), false}, // it starts again
		{2*time.Hour + 1, no, false},
	} {
		err := p.explain(from.Add(step.after), "list", "pods", step.err)
		if got := strings.Contains(err.Error(), "grant list and watch on pods"); got != step.advice || !errors.Is(err, step.err) {
			t.Errorf("after %s: %v", step.after, err)
		}
	}
}

// Who is not known has no use for a role: another token or certificate is asked for, once it lasts.
func TestANewTokenIsAskedForWhenItIsNotKnown(t *testing.T) {
	from := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	var p patience
	for after, want := range map[time.Duration]string{0: "as it may be just after its start; it is tried again", settles: "make it anew (sh deploy/kubeconfig.sh k8guard-discover"} {
		p.since = from
		err := p.explain(from.Add(after), "list", "pods", apierrors.NewUnauthorized("no"))
		if said := err.Error(); !apierrors.IsUnauthorized(err) || !strings.Contains(said, "does not know K8Guard's token or certificate (401)") || !strings.Contains(said, want) || strings.Contains(said, "grant") {
			t.Errorf("after %s: %s", after, said)
		}
	}
}
