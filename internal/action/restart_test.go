package action

import (
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/notify"
	"github.com/k8guard/k8guard/internal/outbox"
)

// filed brings a case so far that its first warning waits in the outbox.
func filed(w *world) outbox.Box {
	w.Helper()
	w.sees("a")
	w.clock.add(time.Minute)
	must(w, w.engine.round(w.Context()))
	return w.box()
}

func (w *world) box() outbox.Box {
	w.Helper()
	b, err := ledger.Read[outbox.Box](w.Context(), w.ledger, outbox.BoxKey(ada().Key(), "email"))
	must(w, err)
	return b
}

// opened freezes the first notice, and stops there.
func opened(w *world) outbox.Notice {
	w.Helper()
	b := filed(w)
	controls, err := w.engine.controls(w.Context())
	must(w, err)
	d, dropped, err := w.engine.digest(w.Context(), b, controls)
	must(w, err)
	if len(d.Items) != 1 || len(dropped) != 0 {
		w.Fatalf("%+v, dropped %v", d, dropped)
	}
	n, err := outbox.Open(w.Context(), w.ledger, b, d)
	must(w, err)
	return n
}

// sending goes on until the first byte may leave.
func sending(w *world) outbox.Notice {
	w.Helper()
	n := opened(w)
	must(w, w.engine.attach(w.Context(), n))
	must(w, outbox.Take(w.Context(), w.ledger, n, nil, w.now()))
	n, begun, err := outbox.Begin(w.Context(), w.ledger, n.Key, w.engine.Holder, "token", w.now())
	must(w, err)
	if !begun {
		w.Fatal("not begun")
	}
	return n
}

// A process dies after each stage of the first warning; the next one goes on.
func TestARestartAtEachStageRepeatsNothing(t *testing.T) {
	for _, test := range []struct {
		name  string
		stop  func(w *world)
		sends int           // of the first notice, by the new process
		want  docket.Result // of the first notice
	}{
		{"filed", func(w *world) { filed(w) }, 1, docket.Sent},
		{"notice opened", func(w *world) { opened(w) }, 1, docket.Sent},
		{"attached", func(w *world) { must(w, w.engine.attach(w.Context(), opened(w))) }, 1, docket.Sent},
		{"taken", func(w *world) {
			n := opened(w)
			must(w, w.engine.attach(w.Context(), n))
			must(w, outbox.Take(w.Context(), w.ledger, n, nil, w.now()))
		}, 1, docket.Sent},
		{"sending", func(w *world) { sending(w) }, 0, docket.UnknownSend},
		{"sent, not settled", func(w *world) {
			n := sending(w)
			_, err := outbox.End(w.Context(), w.ledger, n.Key, "token", notify.Outcome{State: notify.Confirmed, Accepted: ada().Emails}, w.now())
			must(w, err)
		}, 0, docket.Sent},
		{"failed", func(w *world) {
			n := sending(w)
			_, err := outbox.End(w.Context(), w.ledger, n.Key, "token", notify.Outcome{State: notify.Failed}, w.now())
			must(w, err)
		}, 1, docket.Sent},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			test.stop(w)
			w.start()
			w.sees("a")
			w.pass(5 * time.Hour)
			if len(w.mail.sent) != test.sends {
				t.Errorf("%d sends, want %d: %+v", len(w.mail.sent), test.sends, w.mail.sent)
			}
			c := w.only("a")
			if len(c.Notices) != 1 || c.Notices[0].Result != test.want || c.Notices[0].Key != outbox.NoticeKey(ada().Key(), "email", 1) {
				t.Errorf("notices %+v, want the first one, %s", c.Notices, test.want)
			}
			if b := w.box(); len(b.Entries) != 0 || b.Next != 2 {
				t.Errorf("the outbox: %+v", b)
			}
		})
	}
}

// The outcome of our own try could not be kept: the try is over all the same.
func TestATryOfOursThatEndedUnkeptIsUnknown(t *testing.T) {
	w := newWorld(t)
	sending(w)
	w.pass(20 * time.Minute)
	if c := w.only("a"); c.Waits() || c.Notices[0].Result != docket.UnknownSend || len(w.mail.sent) != 0 {
		t.Errorf("%+v after %d sends", c.Notices, len(w.mail.sent))
	}
}

// What was due when people switched to a dry run stays due: nobody is told.
func TestADryRunSendsNoNoticeThatWasDue(t *testing.T) {
	w := newWorld(t)
	must(w, w.engine.attach(w.Context(), opened(w)))
	w.conf.Enforce.Mode = config.ModeDryRun
	w.start()
	w.sees("a")
	w.pass(2 * time.Hour)
	if len(w.mail.sent) != 0 {
		t.Fatalf("a dry run told %+v", w.mail.sent)
	}
	w.conf.Enforce.Mode = config.ModeSafe
	w.start()
	w.sees("a")
	w.pass(2 * time.Hour)
	if len(w.mail.sent) != 1 || w.mail.sent[0].digest.Number != 1 {
		t.Errorf("after the dry run: %+v", w.mail.sent)
	}
}

// A process dies with an act, or with an undo, open: the next one looks at the cluster,
// and does not try again.
func TestARestartSettlesAnOpenAct(t *testing.T) {
	w := newWorld(t)
	w.sees("a")
	w.pass(13 * time.Hour)
	id := w.only("a").ID
	_, err := ledger.Update(t.Context(), w.ledger, keyOf("a"), func(d docket.Docket) (docket.Docket, []docket.Entry, bool, error) {
		next, entries, err := docket.Intend(d, docket.Enforcement{ID: "e", Action: docket.ScaleToZero, Cases: []string{id}, Holder: w.engine.Holder, IntentAt: w.now()})
		return next, entries, err == nil, err
	})
	must(t, err)
	w.start()
	w.pass(10 * time.Hour)
	if len(w.gate.settled) != 1 || len(w.gate.calls) != 0 || w.only("a").State != docket.Acted {
		t.Errorf("settled %v, %d acts, %s", w.gate.settled, len(w.gate.calls), w.only("a").State)
	}
	if told := w.mail.tries(docket.Enforced); len(told) != 1 {
		t.Errorf("told of the act %d times", len(told))
	}
}

// A process that restarts every few hours keeps the ladder's pace, and acts once.
func TestRestartsDoNotShortenTheLadder(t *testing.T) {
	w := newWorld(t)
	for range 8 {
		w.sees("a")
		w.pass(170 * time.Minute)
		w.start()
	}
	warnings := w.mail.tries(docket.Warning)
	if len(warnings) != 3 || len(w.gate.calls) != 1 {
		t.Fatalf("%d warnings, %d acts", len(warnings), len(w.gate.calls))
	}
	for n := 1; n < 3; n++ {
		about(t, "the next warning", warnings[n].at, warnings[n-1].at.Add(6*time.Hour))
	}
	about(t, "the act", w.gate.calls[0].at, warnings[2].at.Add(3*time.Hour))
}
