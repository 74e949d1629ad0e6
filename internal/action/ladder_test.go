package action

import (
	"slices"
	"testing"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/notify"
	"github.com/k8guard/k8guard/internal/outbox"
	"github.com/k8guard/k8guard/internal/policy"
)

// about reports whether an event came at its time, or within the steps of these tests.
func about(t testing.TB, what string, got time.Time, want time.Time) {
	t.Helper()
	if got.Before(want) || got.After(want.Add(8*step)) {
		t.Errorf("%s at %s, want %s or soon after", what, got.Format(time.DateTime), want.Format(time.DateTime))
	}
}

func TestTheWholeLadder(t *testing.T) {
	w := newWorld(t)
	first := w.now()
	w.sees("a", func(o *v1.Observation) {
		x := o.Verdicts[0].Violations[0]
		x.Source = "side"
		o.Verdicts[0].Violations = append(o.Verdicts[0].Violations, x)
	})
	if s := w.docket("a").Cases[0].State; s != docket.Standing {
		t.Errorf("%s at once, want standing", s)
	}
	w.pass(20 * time.Hour)

	warnings := w.mail.tries(docket.Warning)
	if len(warnings) != 3 || len(w.gate.calls) != 1 {
		t.Fatalf("%d warnings and %d acts, want three and one", len(warnings), len(w.gate.calls))
	}
	about(t, "the first warning", warnings[0].at, first.Add(time.Minute))
	for n, s := range warnings {
		if n > 0 {
			about(t, "the next warning", s.at, warnings[n-1].at.Add(6*time.Hour))
		}
		for _, item := range s.digest.Items {
			if item.N != n+1 || item.Needed != 3 || s.digest.Number != n+1 || len(s.digest.Items) != 2 {
				t.Errorf("warning %d: %+v", n+1, s.digest)
			}
		}
	}
	act := w.gate.calls[0]
	about(t, "the act", act.at, warnings[2].at.Add(3*time.Hour))
	if promised := warnings[2].digest.Items[0].NextAt; act.at.Before(promised) {
		t.Errorf("the act at %s, before the time that the last warning named, %s", act.at, promised)
	}
	d := w.docket("a")
	ids := []string{d.Cases[0].ID, d.Cases[1].ID}
	if act.key != keyOf("a") || !slices.Equal(act.cases, ids) {
		t.Errorf("the act is on %v %v, want both cases %v", act.key, act.cases, ids)
	}
	told := w.mail.tries(docket.Enforced)
	if len(told) != 1 || told[0].digest.Items[0].Undo == "" || told[0].at.Before(act.at) {
		t.Errorf("told of the act: %+v", told)
	}
	if s := d.Cases[0].State; s != docket.Acted || len(w.mail.sent) != 4 {
		t.Errorf("%s after %d mails", s, len(w.mail.sent))
	}
}

// An unknown send is neither counted nor repeated; the gate fake checks the count.
func TestUnknownSendsDoNotCount(t *testing.T) {
	w := newWorld(t)
	w.mail.script = []notify.OutcomeState{notify.Unknown, notify.Confirmed, notify.Unknown, notify.Confirmed, notify.Confirmed}
	w.sees("a")
	w.pass(30 * time.Hour)
	warnings := w.mail.tries(docket.Warning)
	if len(warnings) != 5 || len(w.gate.calls) != 1 {
		t.Fatalf("%d warnings, %d acts, want five and one", len(warnings), len(w.gate.calls))
	}
	about(t, "the act", w.gate.calls[0].at, warnings[4].at.Add(3*time.Hour))
	seen := map[string]bool{}
	for _, s := range warnings {
		if seen[s.digest.ID] {
			t.Errorf("%s was sent twice", s.digest.ID)
		}
		seen[s.digest.ID] = true
	}
}

func TestTooManyTriesNeedAHuman(t *testing.T) {
	w := newWorld(t)
	for range 10 {
		w.mail.script = append(w.mail.script, notify.Unknown)
	}
	w.sees("a")
	w.pass(40 * time.Hour)
	if n := len(w.mail.sent); n != 5 || len(w.gate.calls) != 0 {
		t.Errorf("%d tries and %d acts, want warnings + 2 and none", n, len(w.gate.calls))
	}
	if p := w.only("a").Plan; p.Reason != policy.HumanNeeded {
		t.Errorf("plan %+v", p)
	}
}

func TestADeadMailboxNeedsAHumanAndHoldsNoNewOwnerBack(t *testing.T) {
	w := newWorld(t)
	for range 3 * outbox.MaxTries {
		w.mail.script = append(w.mail.script, notify.Failed)
	}
	w.sees("a")
	w.pass(7 * time.Hour)
	if p := w.only("a").Plan; p.Reason != policy.HumanNeeded {
		t.Errorf("after three notices that could not be delivered (%d tries): %+v", len(w.mail.sent), p)
	}
	sent := len(w.mail.sent)
	w.sees("a", func(o *v1.Observation) { o.Owner.Emails = []string{"bob@example.com"} })
	w.pass(30 * time.Hour)
	if len(w.mail.sent) == sent || w.mail.sent[sent].digest.To[0] != "bob@example.com" {
		t.Errorf("the new owner was not warned: %d tries", len(w.mail.sent)-sent)
	}
}

func TestAChannelThatFailsIsTriedAgainUnderTheSameNotice(t *testing.T) {
	w := newWorld(t)
	for range outbox.MaxTries - 1 {
		w.mail.script = append(w.mail.script, notify.Failed)
	}
	w.sees("a")
	w.pass(20 * time.Minute)
	if n := len(w.mail.sent); n < 5 || n > outbox.MaxTries {
		t.Fatalf("%d tries in twenty minutes", n)
	}
	confirmed, tries := w.only("a").Count(ada().Key())
	if confirmed != 0 || tries != 1 {
		t.Errorf("failures count: %d confirmed in %d tries", confirmed, tries)
	}
	w.mail.script = nil
	w.pass(time.Hour)
	for _, s := range w.mail.sent {
		if first := w.mail.sent[0].digest; s.digest.ID != first.ID || s.digest.Number != 1 || !s.digest.At.Equal(first.At) {
			t.Errorf("another notice: %+v", s.digest)
		}
	}
	if confirmed, _ = w.only("a").Count(ada().Key()); confirmed != 1 {
		t.Errorf("%d confirmed after the channel came back", confirmed)
	}
}

func TestModesThatDoNotAct(t *testing.T) {
	for _, test := range []struct {
		name, mode, why string
		mails           int
		reason          string
	}{
		{"safe", config.ModeSafe, "", 3, policy.SafeMode},
		{"dry run", config.ModeDryRun, "", 0, policy.DryRun},
		{"preflight failed", config.ModeEnforce, "no admission policy", 3, policy.SafeMode},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, func(c *config.Config) { c.Enforce.Mode = test.mode })
			w.why = test.why
			w.start()
			w.sees("a")
			w.pass(24 * time.Hour)
			if len(w.mail.sent) != test.mails || len(w.gate.calls) != 0 {
				t.Errorf("%d mails and %d acts, want %d and none", len(w.mail.sent), len(w.gate.calls), test.mails)
			}
			if p := w.only("a").Plan; p.Reason != test.reason {
				t.Errorf("plan %+v, want %s", p, test.reason)
			}
			for _, s := range w.mail.sent {
				if s.digest.Items[0].Needed != 0 {
					t.Errorf("a warning threatens what does not follow: %+v", s.digest.Items[0])
				}
			}
			if mode, why := w.engine.Mode(cluster().Name); mode == config.ModeEnforce || why != test.why {
				t.Errorf("mode %s, %q", mode, why)
			}
		})
	}
}
