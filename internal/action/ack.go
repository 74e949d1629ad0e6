package action

import (
	"context"
	"fmt"
	"time"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/policy"
)

// Acknowledge records that a person has seen a case, and says what follows from it. The hold
// is how long they ask the ladder to pause; whether it does, the case's policy says.
func (e *Engine) Acknowledge(ctx context.Context, caseID, by, reason string, hold time.Duration) (string, error) {
	d, err := e.Ledger.Case(ctx, caseID)
	if err != nil {
		return "", fmt.Errorf("case %s: %w", caseID, err)
	}
	if d.Key.Cluster != e.Cluster.UID {
		return "", fmt.Errorf("case %s is of cluster %s, and this K8Guard is of cluster %s; use the K8Guard of that cluster", caseID, d.Cluster, e.Cluster.Name)
	}
	ack := docket.Ack{By: by, Reason: reason, At: e.Now().UTC()}
	if hold > 0 {
		ack.Until = ack.At.Add(hold)
	}
	d, err = ledger.Update(ctx, e.Ledger, d.Key, func(d docket.Docket) (docket.Docket, []docket.Entry, bool, error) {
		next, entries, err := docket.Acknowledge(d, caseID, ack)
		return next, entries, err == nil, err
	})
	if err != nil {
		return "", err
	}
	e.index.wake(d.Key)
	c := *d.Find(caseID)
	pol := e.policyOf(d, c)
	switch until := policy.Paused(c, pol.Ladder, e.Now()); {
	case !until.IsZero():
		return fmt.Sprintf("acknowledged; its ladder pauses until %s", until.Format(time.RFC3339)), nil
	case hold > 0:
		return fmt.Sprintf("acknowledged; its ladder goes on: ladder.ackPauses of policy %q does not allow a pause now", pol.Name), nil
	}
	return "acknowledged; its ladder goes on", nil
}
