// Package e2e kills K8Guard with SIGKILL at random moments and at every named one, on a
// real control plane with a real mail server, and lets judges from outside decide.
//
// Purpose: nothing lost, nothing twice, nothing without warnings; whatever the moment.
//
// Concurrency: each test has a stage of its own, in folders of its own.
//
// Guarantees: a random run prints its seed, and K8GUARD_SEED replays it as far as the
// machine's own timing allows.
//
// It will not: run under -short, or ask the product whether it behaved.
package e2e

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/test/judge"
	"github.com/k8guard/k8guard/tools/stage"
	"github.com/k8guard/k8guard/tools/stage/stagetest"
)

// warnings is X of the ladder; two more may be tried.
const warnings = 2

// scene is a stage with what K8Guard is to find on it.
type scene struct {
	scale int // of the random kills
	*stage.Stage
	t          *testing.T
	dir        string
	owners     map[string][]string        // by namespace
	roots      map[string]string          // the violating objects, by UID
	violations map[judge.Violation]string // what each of them does wrong
}

// newScene starts the control plane and the mail server; K8Guard may act in the namespaces.
func newScene(t *testing.T, namespaces []string) *scene {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a control plane and kills processes: left out under -short")
	}
	dir := stagetest.Folder(t)
	s := stagetest.New(t, stage.Options{Dir: dir, Enforce: namespaces, Progress: os.Stderr, Change: quick}, "faults")
	return &scene{Stage: s, t: t, dir: dir, owners: map[string][]string{}, roots: map[string]string{}, violations: map[judge.Violation]string{}}
}

// quick is a ladder of seconds, and limits that do not bind.
func quick(c *config.Config) {
	c.Discover.Resync = 5 * time.Second
	c.Notify.Gather, c.Notify.Gap = 300*time.Millisecond, 300*time.Millisecond
	c.Policies[0].Ladder = config.Ladder{Standing: 500 * time.Millisecond, Warnings: warnings, Wait: time.Second, LastWait: time.Second}
	c.Policies[1].Ladder = c.Policies[0].Ladder
	b := &c.Enforce.Budget
	b.Round, b.Percent, b.Floor = 500*time.Millisecond, 100, 1000
	b.PerHour, b.PerDay, b.PerNamespace, b.PerOwner, b.PerRule = 1000, 1000, 1000, 1000, 1000
	c.Enforce.Breaker.UndosPerHour = 1000
	c.Enforce.CoolOff = time.Hour
}

// settled waits until every root was acted on or left to a human; false when the process
// ended before.
func (s *scene) settled(p *stage.Process, limit time.Duration) bool {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), limit)
	defer cancel()
	for {
		d, err := judge.ReadLedger(s.t.Context(), s.LedgerFile())
		if err == nil {
			_, _, err = judge.Outcome(s.roots, d)
		}
		if err == nil {
			return true
		}
		select {
		case <-p.Done():
			return false
		case <-ctx.Done():
			s.t.Fatalf("not settled within %s: %v; the end of its log:\n%s", limit, err, p.LogTail())
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// start runs K8Guard; ready waits until it has audited the cluster.
func (s *scene) start(ready bool, env ...string) *stage.Process {
	s.t.Helper()
	p, err := s.Run(s.t.Context(), env...)
	if err != nil {
		s.t.Fatal(err)
	}
	if ready {
		if err := s.WaitReady(s.t.Context(), p); err != nil {
			s.t.Fatal(err)
		}
	}
	return p
}
