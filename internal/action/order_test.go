package action

import (
	"strings"
	"testing"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/control"
	"github.com/k8guard/k8guard/internal/docket"
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

// Silence counts from look to look: a process that was paused has not looked.
func TestAPauseIsNoSilence(t *testing.T) {
	w := newWorld(t, func(c *config.Config) { c.Enforce.Breaker.Stale = 15 * time.Minute })
	looks := func(n int, every time.Duration) (opened bool) {
		for range n {
			w.clock.add(every)
			must(t, w.engine.signs(t.Context()))
		}
		b, err := w.engine.Control.Breaker(t.Context())
		must(t, err)
		return b.Open
	}
	if looks(1, 0) || looks(1, 5*w.conf.Discover.Resync) {
		t.Error("the first look after a pause opens the breaker")
	}
	if looks(10, look) || looks(1, time.Hour) || looks(19, look) {
		t.Error("a pause amid a silence of 14.5 minutes opens the breaker")
	}
	if !looks(2, look) {
		t.Error("a cluster that is silent for long opens nothing")
	}
}

// Who gets a cluster's bucket back looks anew: what it saw before is no silence until now.
func TestASilenceOfBeforeIsForgottenWithTheBucket(t *testing.T) {
	w := newWorld(t, func(c *config.Config) { c.Enforce.Breaker.Stale = 15 * time.Minute })
	looks := func(n int) {
		for range n {
			w.clock.add(look)
			must(t, w.engine.signs(t.Context()))
		}
	}
	part := func(i *v1.Inventory) { i.Missing = "pods are not read" }
	w.hears("a", part)
	looks(29) // 14 minutes
	w.engine.Lost(t.Context(), docket.AllBuckets())
	looks(40)
	must(t, w.engine.Gained(t.Context(), docket.AllBuckets()))
	w.hears("a", part)
	looks(5)
	if b, err := w.engine.Control.Breaker(t.Context()); err != nil || b.Open {
		t.Errorf("%+v, %v", b, err)
	}
}

// An inventory that lay on the bus, or is said again, is no news: of how many violate, of what is
// not read, or that the cluster is heard at all.
func TestAnOldInventoryIsNoNews(t *testing.T) {
	w := newWorld(t, func(c *config.Config) { c.Discover.Resync = time.Minute })
	w.start()
	sign := func() control.Signs { return w.engine.sign(cluster().UID, w.engine.index.audits()[cluster().UID]) }
	w.hears("a", func(i *v1.Inventory) { i.Violating = 5; i.At = w.now().Add(-24 * time.Hour) })
	if s := sign(); !s.Silent || s.Stale != "cluster test is silent: what comes was said 24h0m0s before, by its clock: that clock or this one is wrong, or the bus is behind" {
		t.Errorf("by a word of yesterday: %+v", s)
	}
	w.clock.add(3 * time.Minute)
	if s := sign(); !s.Silent || s.Stale != "cluster test is silent" {
		t.Errorf("nothing comes: %+v", s)
	}
	w.hears("a", func(i *v1.Inventory) { i.Violating = 45 })
	w.hears("a", func(i *v1.Inventory) { i.Violating, i.Missing, i.Order.Seq = 5, "pods", 1 })
	if s := sign(); s.Silent || s.Violating != 45 || s.Stale != "" {
		t.Errorf("by one of before: %+v", s)
	}
}

// What is of before a silence is no share of now, and no jump follows it.
func TestASilentClusterHasNoShare(t *testing.T) {
	w := newWorld(t, func(c *config.Config) { c.Discover.Resync, c.Enforce.Breaker.SharePoints = time.Minute, 20 })
	hears := func(violating int, at time.Time) {
		w.hears("a", func(i *v1.Inventory) { i.Violating, i.At = violating, at })
		must(t, w.engine.signs(t.Context()))
	}
	open := func() bool {
		b, err := w.engine.Control.Breaker(t.Context())
		must(t, err)
		return b.Open
	}
	for n := 5; n <= 45; n += 10 { // slowly, each in an hour
		w.clock.add(time.Hour)
		hears(n, w.now())
	}
	w.engine.index.audit = map[string]audit{} // started again
	hears(5, w.now().Add(-24*time.Hour))
	if hears(45, w.now()); open() {
		t.Error("an inventory of yesterday made a jump")
	}
	if hears(70, w.now()); !open() {
		t.Error("a jump opens nothing")
	}
}
