package action

import (
	"testing"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/notify"
	"github.com/k8guard/k8guard/internal/outbox"
)

const ops = "ops@example.com"

func fallback(c *config.Config) { c.Owners.Fallback = []string{ops} }

// asked counts how often the platform was asked about each root, and checks that nobody else
// was.
func (w *world) asked() map[string]int {
	w.Helper()
	out := map[string]int{}
	for _, s := range w.mail.tries(docket.NeedsHuman) {
		if s.digest.To[0] != ops || s.state != notify.Confirmed {
			w.Errorf("%s of a case that needs a human to %v", s.state, s.digest.To)
		}
		for _, item := range s.digest.Items {
			if item.Purpose == string(docket.NeedsHuman) {
				out[item.Root.UID]++
				if item.Human == "" {
					w.Errorf("nobody says why: %+v", item)
				}
			}
		}
	}
	return out
}

func TestThePlatformIsAskedOnceForACase(t *testing.T) {
	for _, test := range []struct {
		name string
		make func(w *world)
	}{
		{"tries used up", func(w *world) {
			for range 5 {
				w.mail.script = append(w.mail.script, notify.Unknown)
			}
			w.sees("a")
		}},
		{"over budget", func(w *world) {
			w.engine.Config.Enforce.Budget.PerHour = 0
			w.sees("a")
		}},
		{"a mailbox that is dead", func(w *world) {
			w.conf.Policies[0].Ladder.MaxTries = 1000
			for range 3 * outbox.MaxTries {
				w.mail.script = append(w.mail.script, notify.Failed)
			}
			w.sees("a")
			w.pass(8 * time.Hour)
			w.mail.script = nil
		}},
		{"no owner but the fallback", func(w *world) {
			w.sees("a", func(o *v1.Observation) { o.Owner = v1.Owner{} })
		}},
		{"somebody put it back", func(w *world) {
			w.sees("a")
			w.pass(20 * time.Hour)
			w.sees("a")
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, fallback)
			test.make(w)
			for range 3 {
				w.pass(40 * time.Hour)
				w.start()
				w.sees("a", func(o *v1.Observation) {
					if test.name == "no owner but the fallback" {
						o.Owner = v1.Owner{}
					}
				})
			}
			if got := w.asked(); len(got) != 1 || got["a"] != 1 {
				t.Errorf("asked %v, want once; plan %+v", got, w.only("a").Plan)
			}
		})
	}
}

// Asking the platform holds up nothing, and is no warning.
func TestAskingThePlatformCountsForNothing(t *testing.T) {
	w := newWorld(t, fallback)
	w.sees("a")
	w.pass(13 * time.Hour)
	w.sees("a", bob)
	w.pass(40 * time.Hour)
	if got := w.asked(); got["a"] != 1 || len(w.gate.calls) != 0 {
		t.Errorf("asked %v, %d acts", got, len(w.gate.calls))
	}
	c := w.only("a")
	if _, tries := c.Count("bob@example.com"); tries != 5 || len(c.Notices) != 6 {
		t.Errorf("%d tries: %+v", tries, c.Notices)
	}
}

// Who mends and breaks by turns uses up the tries; the platform is told of it, though the case
// is over whenever a digest is composed.
func TestWhoMendsAndBreaksByTurnsIsToldToThePlatform(t *testing.T) {
	w := newWorld(t, fallback, func(c *config.Config) { c.Notify.Gather = 20 * time.Minute })
	for range 5 {
		w.sees("a")
		w.pass(40 * time.Minute)
		w.sees("a", clean)
		w.pass(6 * time.Hour)
	}
	if n := len(w.mail.tries(docket.Warning)); n != 5 {
		t.Fatalf("%d warnings, want all tries", n)
	}
	for range 4 {
		w.sees("a")
		w.pass(4 * time.Minute)
		w.sees("a", clean)
		w.pass(2 * time.Hour)
	}
	if got := w.asked(); got["a"] != 1 {
		t.Errorf("asked %v, want once; notices %+v", got, w.only("a").Notices)
	}
	if n := len(w.mail.tries(docket.AllClear)); n != 5 {
		t.Errorf("%d all-clears for five warnings", n)
	}
}

// A process dies at each stage of an all-clear: the owner is never told twice.
func TestARestartAtEachStageOfAnAllClear(t *testing.T) {
	for _, stage := range []string{"resolved", "filed", "opened", "attached", "taken", "sending", "sent"} {
		t.Run(stage, func(t *testing.T) {
			w := newWorld(t)
			w.sees("a")
			w.pass(2 * time.Hour)
			w.sees("a", clean)
			stopAt(w, stage)
			w.start()
			w.sees("a", clean)
			w.pass(5 * time.Hour)
			w.start()
			w.pass(5 * time.Hour)
			want := 1
			if stage == "sending" || stage == "sent" {
				want = 0 // by the new process
			}
			if n := len(w.mail.tries(docket.AllClear)); n != want || w.docket("a").Live() {
				t.Errorf("%d all-clears, want %d; live %v, %+v", n, want, w.docket("a").Live(), w.only("a").Notices)
			}
		})
	}
}

// stopAt carries the all-clear of root a as far as a stage, and leaves it there.
func stopAt(w *world, stage string) {
	w.Helper()
	ctx, e := w.Context(), w.engine
	if stage == "resolved" {
		return
	}
	w.clock.add(time.Second)
	must(w, e.round(ctx))
	b := w.box()
	controls, err := e.controls(ctx)
	must(w, err)
	d, _, err := e.digest(ctx, b, controls)
	must(w, err)
	if len(d.Items) != 1 || d.Items[0].Purpose != string(docket.AllClear) {
		w.Fatalf("the digest: %+v", d.Items)
	}
	var n outbox.Notice
	for _, s := range []struct {
		name string
		do   func() error
	}{
		{"filed", func() error { return nil }},
		{"opened", func() (err error) { n, err = outbox.Open(ctx, w.ledger, b, d); return err }},
		{"attached", func() error { return e.attach(ctx, n) }},
		{"taken", func() error { return outbox.Take(ctx, w.ledger, n, nil, w.now()) }},
		{"sending", func() (err error) {
			n, _, err = outbox.Begin(ctx, w.ledger, n.Key, e.Holder, "token", w.now())
			return err
		}},
		{"sent", func() error {
			_, err := outbox.End(ctx, w.ledger, n.Key, "token", notify.Outcome{State: notify.Confirmed, Accepted: ada().Emails}, w.now())
			return err
		}},
	} {
		must(w, s.do())
		if s.name == stage {
			return
		}
	}
}

// What surely did not arrive warned nobody: nobody hears that it is over.
func TestNoAllClearWithoutAWarning(t *testing.T) {
	w := newWorld(t)
	for range 3 * outbox.MaxTries {
		w.mail.script = append(w.mail.script, notify.Failed)
	}
	w.sees("a")
	w.pass(2 * time.Hour)
	w.sees("a", clean)
	w.pass(10 * time.Hour)
	if n := len(w.mail.tries(docket.AllClear)); n != 0 || w.docket("a").Live() {
		t.Errorf("%d all-clears, live %v", n, w.docket("a").Live())
	}
	w.mail.script = nil
	w.sees("b")
	w.pass(2 * time.Hour)
	w.sees("b", clean, bob)
	w.pass(10 * time.Hour)
	if n := len(w.mail.tries(docket.AllClear)); n != 0 || w.docket("b").Live() {
		t.Errorf("a new owner hears that something is over of which nobody told them: %d", n)
	}
}
