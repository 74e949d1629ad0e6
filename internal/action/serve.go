package action

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/k8guard/k8guard/internal/docket"
)

// docketOf loads the docket of a case, if it is of a cluster that the engine answers for.
func (e *Engine) docketOf(ctx context.Context, caseID string) (docket.Docket, error) {
	d, err := e.Ledger.Case(ctx, caseID)
	if err != nil {
		return d, fmt.Errorf("case %s: %w", caseID, err)
	}
	if !e.answers(d.Cluster, d.Key.Cluster) {
		return d, fmt.Errorf("case %s is of cluster %s, which is not this K8Guard's; use the K8Guard of that cluster", caseID, d.Cluster)
	}
	return d, nil
}

// Undo takes the enforcement of a case's root back, as asked by a person, and says what it did.
func (e *Engine) Undo(ctx context.Context, caseID string, asked docket.Undo) (string, error) {
	d, err := e.docketOf(ctx, caseID)
	if err != nil {
		return "", err
	}
	asked.Case = caseID
	switch owned := e.index.owns(d.Key.Bucket()); {
	case !owned && e.Alone:
		return "", errors.New("K8Guard is starting; try again in a moment")
	case !owned:
		asked.At = e.Now().UTC()
		return e.orderUndo(ctx, d, asked)
	}
	gate := e.site(d.Cluster).gate
	if gate == nil {
		return "", errors.New("undo needs action's account: set cluster.actionKubeconfig, which is taken over while K8Guard runs, and undo again")
	}
	if !e.index.take(d.Key) {
		return "", fmt.Errorf("an act on %s is under way; try again in a moment", d.Root)
	}
	defer e.index.wake(d.Key)
	defer e.index.release(d.Key)
	if !e.index.begin(d.Key) {
		return "", fmt.Errorf("%s goes to another replica just now; try again in a moment", d.Root)
	}
	// Once begun, an undo is not cut short because the one who asked hung up.
	undo, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	note, err := gate.Undo(undo, d.Key, asked)
	e.index.open(d.Key, e.Now()) // also to see what is still open of one that failed
	return note, err
}

// Idle reports whether no act or undo is under way, and none has an open outcome.
func (e *Engine) Idle() bool { return e.index.idle() }

// Freeze stops all enforcement of a scope, and returns when no act is under way and none has
// an open outcome; with pending true when one still had after ten seconds.
func (e *Engine) Freeze(ctx context.Context, scope, by, reason string) (pending bool, err error) {
	if err := e.Control.Freeze(ctx, scope, by, reason); err != nil {
		return false, err
	}
	for end := e.Now().Add(10 * time.Second); e.Now().Before(end); {
		if e.index.idle() {
			return false, nil
		}
		select {
		case <-ctx.Done():
			return true, ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
	return true, nil
}

// Mode returns the mode that is in force in a cluster and, when it is not the configured one, why.
func (e *Engine) Mode(cluster string) (mode, why string) {
	s := e.site(cluster)
	return s.mode, s.why
}

// Open returns how many dockets have an open case.
func (e *Engine) Open() int { return e.index.size() }

// Judged returns how many roots a cluster's last inventory counted.
func (e *Engine) Judged(uid string) int { return e.index.audits()[uid].judged }
