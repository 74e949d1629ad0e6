package action

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
)

func west() v1.Cluster { return v1.Cluster{Name: "west", UID: "west-uid"} }

func inWest(o *v1.Observation) { o.Cluster = west() }

// joins makes the engine answer for a second cluster.
func (w *world) joins(g Enforcer) {
	w.engine.Clusters = append(w.engine.Clusters, west())
	w.engine.SetGate(west().Name, g, "")
	w.engine.index.setAudit(west(), audit{judged: 100, at: w.now()})
}

// hung is the gate of a cluster whose API server takes requests and does not answer.
type hung struct {
	*gate
	asked   atomic.Int32
	answers chan struct{}
}

func (h *hung) wait(ctx context.Context) error {
	h.asked.Add(1)
	select {
	case <-h.answers:
		return errors.New("no answer")
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (h *hung) Enforce(ctx context.Context, _ docket.Key, _ []string, _ config.Policy) error {
	return h.wait(ctx)
}
func (h *hung) Settle(ctx context.Context, _ docket.Key) error { return h.wait(ctx) }

// intend leaves an act with an open outcome on record, as a dead process does.
func (w *world) intend(key docket.Key) {
	w.Helper()
	_, err := ledger.Update(w.Context(), w.ledger, key, func(d docket.Docket) (docket.Docket, []docket.Entry, bool, error) {
		d, opened := docket.OpenCase(d, d.Cases[0].ID, w.now())
		next, entries, err := docket.Intend(d, docket.Enforcement{ID: "e-" + key.Root, Action: docket.ScaleToZero, Target: d.Root,
			Cases: []string{d.Cases[0].ID}, Holder: "dead", IntentAt: w.now()})
		return next, append(opened, entries...), err == nil, err
	})
	must(w, err)
}

// A hanging API server takes the workers of its own cluster, and nobody else's time.
func TestAClusterThatHangsHoldsUpNoOther(t *testing.T) {
	w := newWorld(t)
	h := &hung{gate: w.gate, answers: make(chan struct{})}
	w.joins(h)
	for n := range 2 * workers {
		uid := fmt.Sprint("west-", n)
		w.sees(uid, inWest)
		w.intend(docket.Key{Cluster: west().UID, Root: uid})
	}
	w.sees("web")
	ended := make(chan error, 1)
	go func() { // what never returns is to fail the test, not to hang it
		for len(w.gate.done()) == 0 && w.now().Before(time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC)) {
			w.clock.add(step)
			if err := w.engine.round(w.Context()); err != nil {
				ended <- err
				return
			}
			for w.engine.boxes.mailing() || w.engine.index.underWay(cluster().UID) > 0 {
				time.Sleep(time.Millisecond)
			}
		}
		ended <- nil
	}()
	select {
	case err := <-ended:
		must(t, err)
	case <-time.After(20 * time.Second):
		t.Error("one cluster hangs, and the ladders of all stand still")
	}
	if n := len(w.gate.done()); n != 1 && !t.Failed() {
		t.Errorf("%d acts on the other cluster, want one", n)
	}
	if n := h.asked.Load(); n != workers {
		t.Errorf("the hanging cluster was asked %d times at once, want %d", n, workers)
	}
	close(h.answers)
	w.engine.senders.Wait()
}

// What fails on a cluster is tried again after a pause that grows: it must not spin.
func TestAnActThatFailsIsTriedAgainWithPauses(t *testing.T) {
	w := newWorld(t)
	fails := &failing{gate: w.gate}
	w.engine.SetGate(cluster().Name, fails, "")
	w.sees("web")
	w.pass(16 * time.Hour)
	fails.asked.Store(0)
	for range 600 {
		w.clock.add(time.Second)
		must(t, w.engine.round(t.Context()))
		w.engine.senders.Wait()
	}
	if n := fails.asked.Load(); n < 1 || n > 4 {
		t.Errorf("asked %d times within ten minutes", n)
	}
}

// failing is the gate of a cluster that is another than its dockets'.
type failing struct {
	*gate
	asked atomic.Int32
}

func (f *failing) Enforce(context.Context, docket.Key, []string, config.Policy) error {
	f.asked.Add(1)
	return errors.New("the docket is of another cluster")
}

func (g *gate) done() []call {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.calls
}

func (b *boxes) mailing() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.sending) > 0
}

// What waits for a worker does nothing with a gate that was taken away meanwhile.
func TestWhatWaitsForItsTurnTakesTheGateAsItIsThen(t *testing.T) {
	w := newWorld(t)
	w.sees("a")
	acting := w.engine.site(cluster().Name).acting
	for range workers {
		acting <- struct{}{}
	}
	a := due{d: w.docket("a"), cases: []string{w.only("a").ID}}
	if !w.engine.index.take(a.d.Key) {
		t.Fatal("somebody has it")
	}
	w.engine.begin(t.Context(), a)
	w.engine.SetGate(cluster().Name, nil, "its account is another cluster's, too")
	for range workers {
		<-acting
	}
	w.engine.senders.Wait()
	if len(w.gate.calls) != 0 {
		t.Errorf("it acted: %+v", w.gate.calls)
	}
}
