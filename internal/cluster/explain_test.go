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
		{time.Hour, apierrors.NewUnauthorized("no"), true},
		{2 * time.Hour, errors.New("connection refused"), false}, // it starts again
		{2*time.Hour + 1, no, false},
	} {
		err := p.explain(from.Add(step.after), "list", "pods", step.err)
		if got := strings.Contains(err.Error(), "grant list and watch on pods"); got != step.advice || !errors.Is(err, step.err) {
			t.Errorf("after %s: %v", step.after, err)
		}
	}
}
