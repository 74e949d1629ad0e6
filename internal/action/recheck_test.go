package action

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/policy"
)

// counting is a ledger that counts the dockets that are read, and may be full.
type counting struct {
	ledger.Ledger
	loads atomic.Int32
	full  atomic.Bool // for dockets
	shut  atomic.Bool // for records
}

func (c *counting) Load(ctx context.Context, key docket.Key) (docket.Docket, error) {
	c.loads.Add(1)
	return c.Ledger.Load(ctx, key)
}

func (c *counting) CompareAndSet(ctx context.Context, d docket.Docket, entries []docket.Entry) (int64, error) {
	if c.full.Load() {
		return 0, errors.New("database or disk is full")
	}
	return c.Ledger.CompareAndSet(ctx, d, entries)
}

func (c *counting) Put(ctx context.Context, r ledger.Record) (int64, error) {
	if c.shut.Load() {
		return 0, errors.New("database or disk is full")
	}
	return c.Ledger.Put(ctx, r)
}

// count puts a counting ledger under the engine.
func (w *world) count() *counting {
	c := &counting{Ledger: w.ledger}
	w.engine.Ledger = c
	return c
}

// reads is how many dockets are read in a time that goes by second by second.
func (w *world) reads(c *counting, d time.Duration) int32 {
	w.Helper()
	c.loads.Store(0)
	for end := w.now().Add(d); w.now().Before(end); {
		w.clock.add(time.Second)
		must(w, w.engine.round(w.Context()))
		w.engine.senders.Wait()
	}
	return c.loads.Load()
}

// A docket that only waits is not read over and over; a restart finds its date again.
func TestWhatWaitsForItsDateIsLeftAlone(t *testing.T) {
	w := newWorld(t)
	w.sees("1")
	w.pass(30 * time.Minute)
	if p := w.only("1").Plan; p.Step != policy.Wait || p.Reason != policy.Waiting {
		t.Fatalf("it does not wait: %+v", p)
	}
	c := w.count()
	if n := w.reads(c, time.Hour); n > 2*13 { // each look reads it twice
		t.Errorf("a docket that waits for hours was read %d times in one", n)
	}
	before := len(w.mail.tries(docket.Warning))
	w.pass(6*time.Hour - 95*time.Minute)
	w.start() // a new process: the timer is gone, the date is not
	w.sees("1")
	c = w.count()
	w.reads(c, 10*time.Minute)
	if n := len(w.mail.tries(docket.Warning)); n != before+1 {
		t.Errorf("%d warnings, want one more than %d: %+v", n, before, w.only("1").Plan)
	}
}

// What lies in an outbox is the outbox's to tell: its docket is left alone until then.
func TestWhatIsFiledIsLeftAlone(t *testing.T) {
	w := newWorld(t, func(c *config.Config) { c.Notify.Gather = 2 * time.Hour })
	w.sees("1")
	w.pass(10 * time.Minute)
	if p := w.only("1").Plan; p.Step != policy.Notify {
		t.Fatalf("it is not to be told: %+v", p)
	}
	c := w.count()
	if n := w.reads(c, time.Hour); n > 2*13 {
		t.Errorf("a docket that lies in an outbox was read %d times in an hour", n)
	}
	w.pass(time.Hour)
	if n := len(w.mail.tries(docket.Warning)); n != 1 {
		t.Errorf("%d warnings", n)
	}
}

// What could not be filed is filed when there is room again.
func TestWhatCouldNotBeFiledIsNotForgotten(t *testing.T) {
	w := newWorld(t)
	w.sees("1")
	c := w.count()
	c.shut.Store(true)
	for range 60 { // it opens meanwhile
		w.clock.add(2 * time.Second)
		_ = w.engine.round(t.Context())
	}
	c.shut.Store(false)
	w.reads(c, 10*time.Second+w.conf.Notify.Gather)
	if n := len(w.mail.tries(docket.Warning)); n != 1 {
		t.Errorf("%d warnings: %+v", n, w.only("1").Plan)
	}
}

// What waits for a switch, or for a sighting, goes on when that comes, not at its next look.
func TestASwitchAndASightingWakeWhatWaits(t *testing.T) {
	for name, test := range map[string]struct {
		hold, lift func(*world)
		reason     string
	}{
		"a freeze": {func(w *world) { must(w, w.engine.Control.Freeze(w.Context(), "global", "ada", "incident")) },
			func(w *world) { must(w, w.engine.Control.Unfreeze(w.Context(), "global")) }, policy.Frozen},
		"the breaker": {func(w *world) { must(w, w.engine.Control.Trip(w.Context(), cluster(), "two undos")) },
			func(w *world) { must(w, w.engine.Control.Close(w.Context(), "", "ada", "seen")) }, policy.BreakerOpen},
		"a sighting": {func(w *world) { w.engine.index.seen = map[docket.Key]time.Time{} },
			func(w *world) { w.engine.index.sight(keyOf("1"), "violated", w.now()) }, policy.Stale},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.sees("1")
			w.pass(14 * time.Hour) // three warnings are out, the act is an hour away
			test.hold(w)
			w.pass(3 * time.Hour)
			if p := w.only("1").Plan; p.Reason != test.reason {
				t.Fatalf("held: %+v", p)
			}
			test.lift(w)
			w.clock.add(time.Second)
			must(t, w.engine.round(t.Context()))
			if p := w.only("1").Plan; p.Reason == test.reason {
				t.Errorf("a second after it was lifted: %+v", p)
			}
		})
	}
}

// What wakes a docket while it is looked at is not lost to the date that the look ends with.
func TestAWakeDuringALookIsNotLost(t *testing.T) {
	c := &clock{at: time.Unix(1000, 0)}
	x := newIndex(c.now, time.Minute)
	x.open(keyOf("1"), c.now())
	since := x.openings(keyOf("1"))
	x.wake(keyOf("1"))
	x.putOff(keyOf("1"), c.now().Add(time.Hour), since)
	if len(x.due(c.now())) != 1 {
		t.Error("the wake is lost")
	}
	x.putOff(keyOf("1"), c.now().Add(time.Hour), x.openings(keyOf("1")))
	if len(x.due(c.now())) != 0 {
		t.Error("it is due though nothing woke it")
	}
}

// Thousands at once are looked at in portions, the longest due first, so that none is passed over.
func TestARoundLooksAtAPortion(t *testing.T) {
	c := &clock{at: time.Unix(1000, 0)}
	x := newIndex(c.now, time.Minute)
	for i := range 2 * portion {
		x.open(keyOf(fmt.Sprint(i)), c.now().Add(time.Duration(i)*time.Millisecond))
	}
	c.add(time.Minute)
	seen := map[docket.Key]bool{}
	for range 2 {
		keys := x.due(c.now())
		if len(keys) != portion {
			t.Fatalf("%d at once", len(keys))
		}
		for _, key := range keys {
			seen[key] = true
			x.open(key, c.now())
		}
	}
	if len(seen) != 2*portion {
		t.Errorf("%d of %d were looked at in two rounds", len(seen), 2*portion)
	}
}

// On a full disk every docket is put off every second: one line a minute says how many.
func TestAFullDiskDoesNotFloodTheLog(t *testing.T) {
	w := newWorld(t)
	for i := range 20 {
		w.sees(fmt.Sprint(i))
	}
	w.count().full.Store(true)
	var out bytes.Buffer
	w.engine.Log = slog.New(slog.NewTextHandler(&out, nil))
	for range 150 {
		w.clock.add(time.Second)
		_ = w.engine.round(t.Context())
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	var off []string
	for _, l := range lines {
		if strings.Contains(l, "put off") {
			off = append(off, l)
		}
	}
	if len(off) != 3 || len(lines) > 6 {
		t.Fatalf("%d lines of dockets put off, %d in all:\n%s", len(off), len(lines), out.String())
	}
	for _, part := range []string{"root=Deployment/shop/web-", "disk is full", "times="} {
		if !strings.Contains(off[1], part) {
			t.Errorf("%q is not in %s", part, off[1])
		}
	}
	if strings.Contains(off[1], "times=1 ") {
		t.Errorf("it does not count: %s", off[1])
	}
}

// One minute of the scheduler over ten thousand dockets that wait for their dates.
func BenchmarkAMinuteOfWaiting(b *testing.B) {
	w := newWorld(b)
	w.engine.Log = slog.New(slog.DiscardHandler)
	const n = 10_000
	for i := range n {
		w.sees(fmt.Sprint(i))
	}
	c := w.count()
	w.conf.Enforce.Mode = config.ModeDryRun // nobody is told: all of them wait
	w.engine.Config.Enforce.Mode = config.ModeDryRun
	w.engine.SetGate(cluster().Name, w.gate, "")
	w.clock.add(2 * time.Minute)
	for len(w.engine.index.due(w.now())) > 0 { // they open
		must(b, w.engine.round(b.Context()))
	}
	minutes := 0
	c.loads.Store(0)
	for b.Loop() {
		minutes++
		for range 60 {
			w.clock.add(time.Second)
			must(b, w.engine.round(b.Context()))
		}
	}
	b.ReportMetric(float64(c.loads.Load())/60/float64(minutes), "reads/s")
}

// What comes due while the gate is busy with a thousand claims nothing yet, and has its turn.
func TestClaimsWaitForABusyGate(t *testing.T) {
	w := newWorld(t)
	w.sees("1")
	w.pass(14 * time.Hour) // three warnings are out, the act is an hour away
	for i := range 2 * portion {
		w.engine.index.take(keyOf(fmt.Sprint("other-", i)))
	}
	w.pass(2 * time.Hour)
	if b, err := w.engine.Control.Budget(t.Context(), cluster().UID); err != nil || len(b.Claims)+len(b.Grants)+len(b.Over) > 0 || w.only("1").Plan.Step != policy.Act {
		t.Fatalf("%+v, %v; %+v", b, err, w.only("1").Plan)
	}
	for i := range 2 * portion {
		w.engine.index.release(keyOf(fmt.Sprint("other-", i)))
	}
	w.pass(time.Hour)
	if c := w.only("1"); c.State != docket.Acted {
		t.Errorf("%s: %+v", c.State, c.Plan)
	}
}
