package action

import (
	"strings"
	"testing"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/config"
)

// An observation of an earlier start, after one of a later: a ledger or a discover of
// yesterday. It changes nothing, and a person looks.
func TestAnOrderThatFallsBackOpensTheBreaker(t *testing.T) {
	w := newWorld(t)
	w.sees("web", func(o *v1.Observation) { o.Order.Epoch = 7 })
	before := w.docket("web")
	w.sees("web", func(o *v1.Observation) { o.Order.Epoch = 6; o.Verdicts = nil })
	if b, err := w.engine.Control.Breaker(t.Context()); err != nil || !b.Open || !strings.Contains(b.Reason, "epoch 6") {
		t.Errorf("%+v, %v", b, err)
	}
	if after := w.docket("web"); after.Version != before.Version {
		t.Errorf("the docket changed: %+v", after)
	}
}

// While a new configuration is built its epoch is on record already; the engine that still
// runs is heard all the same.
func TestALaterEpochOnRecordDoesNotDeafenWhoRuns(t *testing.T) {
	w := newWorld(t)
	w.engine.Follow(cluster().UID, 1)
	for range 3 {
		_, err := w.engine.Control.NextEpoch(t.Context(), cluster().UID)
		must(t, err)
	}
	w.sees("web")
	b, err := w.engine.Control.Breaker(t.Context())
	if must(t, err); b.Open || w.docket("web").Version == 0 {
		t.Errorf("breaker %+v, docket %+v", b, w.docket("web"))
	}
}

// What lay on the bus for long makes nothing fresh.
func TestAnOldWordMakesNothingFresh(t *testing.T) {
	w := newWorld(t)
	w.sees("web", func(o *v1.Observation) { o.At = w.now().Add(-3 * w.conf.Discover.Resync) })
	if fresh, _ := w.engine.Sighted(keyOf("web")); fresh {
		t.Error("fresh, by a word of three resyncs ago")
	}
	w.sees("web")
	if fresh, _ := w.engine.Sighted(keyOf("web")); !fresh {
		t.Error("not fresh, by a word of now")
	}
}

// Who looked at a docket before it was forgotten and opened again does not forget it.
func TestADocketOpenedAgainIsNotForgotten(t *testing.T) {
	w := newWorld(t)
	x, key := w.engine.index, keyOf("web")
	x.open(key, w.now())
	since := x.openings(key)
	x.close(key)
	x.open(key, w.now())
	if x.closeUnless(key, since); x.size() != 1 {
		t.Error("it is forgotten")
	}
}

// Silence counts from the first look: a process that was paused has not looked.
func TestAPauseIsNoSilence(t *testing.T) {
	w := newWorld(t, func(c *config.Config) { c.Enforce.Breaker.Stale = 15 * time.Minute })
	must(t, w.engine.signs(t.Context()))
	open := func() bool {
		b, err := w.engine.Control.Breaker(t.Context())
		must(t, err)
		return b.Open
	}
	w.clock.add(5 * w.conf.Discover.Resync)
	if must(t, w.engine.signs(t.Context())); open() {
		t.Error("the first look after a pause opens the breaker")
	}
	w.clock.add(16 * time.Minute)
	if must(t, w.engine.signs(t.Context())); !open() {
		t.Error("a cluster that is silent for long opens nothing")
	}
}
