package action

import (
	"fmt"
	"testing"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/policy"
	"github.com/k8guard/k8guard/internal/rule"
)

// The escapes that safety.md names, each tried for as long as its tenant likes.

func TestEscapeRenamingAContainer(t *testing.T) {
	w := newWorld(t)
	for n := range 12 {
		w.sees("a", func(o *v1.Observation) { o.Verdicts[0].Violations[0].Source = fmt.Sprint("app-", n%3, n/3) })
		w.pass(2 * time.Hour)
	}
	if n := len(w.mail.tries(docket.Warning)); n != 3 || len(w.gate.calls) != 1 || len(w.mail.tries(docket.AllClear)) != 0 {
		t.Errorf("%d warnings, %d acts, %d all-clears", n, len(w.gate.calls), len(w.mail.tries(docket.AllClear)))
	}
	if took := w.gate.calls[0].at.Sub(w.mail.sent[0].at); took < 15*time.Hour || took > 16*time.Hour {
		t.Errorf("the act %s after the first warning, want fifteen hours", took)
	}
}

func TestEscapeSuspendingForAMinute(t *testing.T) {
	w := newWorld(t)
	dormant := func(o *v1.Observation) { o.Dormant, o.Hash = "scaled to zero", "dormant" }
	for range 8 {
		w.sees("a")
		w.pass(2*time.Hour - 2*time.Minute)
		w.sees("a", dormant)
		w.pass(2 * time.Minute)
		if c := w.only("a"); c.State == docket.Resolved || c.Plan.Reason != policy.Dormant && c.State == docket.Open {
			t.Fatalf("dormant: %s, %+v", c.State, c.Plan)
		}
	}
	if n := len(w.mail.tries(docket.Warning)); n != 3 || len(w.gate.calls) != 1 || len(w.mail.tries(docket.AllClear)) != 0 {
		t.Errorf("%d warnings, %d acts, %d all-clears", n, len(w.gate.calls), len(w.mail.tries(docket.AllClear)))
	}
}

func TestEscapeAnotherTag(t *testing.T) {
	w := newWorld(t)
	for n := range 8 {
		w.sees("a", func(o *v1.Observation) {
			o.Verdicts[0].Violations[0].Evidence, o.Hash = fmt.Sprint("evil.example/x:", n), fmt.Sprint("tag-", n)
		})
		w.pass(2 * time.Hour)
	}
	if c := w.only("a"); c.Evidence != "evil.example/x:7" || len(w.mail.tries(docket.Warning)) != 3 || len(w.gate.calls) != 1 {
		t.Errorf("%d warnings, %d acts, %+v", len(w.mail.tries(docket.Warning)), len(w.gate.calls), c)
	}
}

// Roots that live under 24 h are one case: by what they have in common, rule and source.
func TestEscapeThrowAwayRoots(t *testing.T) {
	pod := func(generate, account string) func(*v1.Observation) {
		return func(o *v1.Observation) {
			o.Root.Kind, o.GenerateName, o.ServiceAccount = "Pod", generate, account
		}
	}
	recreated := func(o *v1.Observation) { o.Root.Name = "web" }
	for _, test := range []struct {
		name   string
		make   func(*v1.Observation)
		family int // from which root on they are known as throw-away ones
	}{
		{"by generateName", pod("batch-", "runner"), 0},
		{"by service account", pod("", "runner"), 1},
		{"by name", recreated, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, fallback)
			for n := range 24 {
				uid := fmt.Sprint("root-", n)
				w.sees(uid, test.make)
				w.pass(90 * time.Minute)
				d := w.docket(uid)
				if d.ThrowAway(w.now()) != (n >= test.family) {
					t.Errorf("root %d: family %q", n, d.Family)
				}
				if n == 2 && (d.Before == nil || d.Before.Times != 3 || d.Before.Root.UID != "root-1") {
					t.Errorf("the third of its kind names %+v", d.Before)
				}
				w.sees(uid, test.make, gone)
				if n == 11 {
					w.start()
				}
				w.pass(30 * time.Minute)
			}
			warnings := w.mail.tries(docket.Warning)
			if len(warnings) > 5+test.family || len(warnings) < 3 || len(w.gate.calls) != 0 {
				t.Errorf("%d warnings for 24 roots, %d acts", len(warnings), len(w.gate.calls))
			}
			for i := 1 + test.family; i < len(warnings); i++ {
				if pause := warnings[i].at.Sub(warnings[i-1].at); pause < 6*time.Hour {
					t.Errorf("another warning after %s", pause)
				}
			}
			if n := len(w.mail.tries(docket.AllClear)); n > test.family {
				t.Errorf("%d all-clears, while the next is on its way", n)
			}
			if last := warnings[len(warnings)-1].digest.Items[0]; last.Before == "" || last.Needed != 0 {
				t.Errorf("the last warning says nothing of those before, or threatens: %+v", last)
			}
		})
	}
}

func TestManyThrowAwayRootsAtOnceAreOneCase(t *testing.T) {
	w := newWorld(t)
	for n := range 20 {
		w.sees(fmt.Sprint("root-", n), func(o *v1.Observation) { o.Root.Kind, o.GenerateName = "Pod", "batch-" })
	}
	w.pass(5 * time.Hour)
	if len(w.mail.sent) != 1 || len(w.mail.sent[0].digest.Items) != 1 {
		t.Errorf("%d mails, the first names %d", len(w.mail.sent), len(w.mail.sent[0].digest.Items))
	}
	for n := range 20 {
		if confirmed, tries := w.only(fmt.Sprint("root-", n)).Count(ada().Key()); confirmed != 1 || tries != 1 {
			t.Errorf("root %d: %d confirmed in %d tries", n, confirmed, tries)
		}
	}
}

// What lives for a day is no throw-away root any more: its ladder ends as any other, with a
// warning that names the act, though those before said that none follows.
func TestARootThatStaysIsNoThrowAway(t *testing.T) {
	w := newWorld(t)
	recreated := func(o *v1.Observation) { o.Root.Name = "web" }
	w.sees("a", recreated)
	w.pass(30 * time.Minute)
	w.sees("a", recreated, gone)
	born := w.now()
	stays := func(o *v1.Observation) { recreated(o); o.Created = born }
	w.sees("b", stays)
	w.pass(23 * time.Hour)
	if len(w.gate.calls) != 0 {
		t.Fatalf("acted on a root that may be a throw-away one")
	}
	warned := w.mail.tries(docket.Warning)
	for _, s := range warned {
		if !s.digest.Items[0].ActAt().IsZero() && s.digest.Items[0].Root.UID == "b" {
			t.Errorf("a throw-away root is threatened: %+v", s.digest.Items[0])
		}
	}
	w.pass(2 * time.Hour)
	if len(w.gate.calls) != 0 {
		t.Fatalf("acted after mail that said that no act follows")
	}
	w.pass(10 * time.Hour)
	after := w.mail.tries(docket.Warning)[len(warned):]
	if len(w.gate.calls) != 1 || len(after) != 1 || after[0].digest.Items[0].ActAt().IsZero() {
		t.Errorf("%d acts on a root that stays, %d warnings; plan %+v", len(w.gate.calls), len(after), w.only("b").Plan)
	}
}

// A Job goes, and its notice is deleted with it; the next of its kind is not to wait for it.
func TestANoticeThatIsNoLongerOnRecordIsNotWaitedFor(t *testing.T) {
	w := newWorld(t)
	key, _ := familyKey(w.observation("x", job))
	_, err := ledger.UpdateRecord(t.Context(), w.ledger, key, func(f *docket.Family) (bool, error) {
		c := docket.Case{Rule: "IMAGE_REPO", Source: "app", From: v1.FromTemplate}
		old := docket.NoticeRef{Key: "notice/mail/gone/1", Purpose: docket.Warning, N: 1, Owner: ada().Key(), Result: docket.Pending}
		old.At = w.now().Add(-24 * time.Hour)
		older := old
		older.Key, older.At = "notice/mail/gone/0", w.now().AddDate(0, -2, 0)
		return f.Tell(c.Signature(), older) && f.Tell(c.Signature(), old), nil
	})
	must(t, err)
	w.sees("b", job)
	w.pass(10 * time.Minute)
	if n := w.only("b").Notices; len(n) != 1 || n[0].Key != "notice/mail/gone/1" || n[0].Result != docket.UnknownSend {
		t.Fatalf("%+v", n)
	}
	w.pass(7 * time.Hour)
	if n := len(w.mail.tries(docket.Warning)); n != 1 {
		t.Errorf("%d warnings; plan %+v", n, w.only("b").Plan)
	}
}

func TestTheFamilyKeepsHowANoticeEnded(t *testing.T) {
	w := newWorld(t)
	w.sees("a", job)
	w.pass(time.Hour)
	f, err := ledger.Read[docket.Family](t.Context(), w.ledger, w.docket("a").Family)
	must(t, err)
	for _, refs := range f.Told {
		if len(refs) != 1 || refs[0].Result != docket.Sent {
			t.Errorf("%+v", refs)
		}
	}
	if len(f.Told) != 1 {
		t.Errorf("told %+v", f.Told)
	}
}

func job(o *v1.Observation) { o.Root.Kind, o.GenerateName = "Job", "batch-" }

// toldBefore has all warnings told in safe mode, and enforcement turned on after that.
func toldBefore(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, func(c *config.Config) { c.Enforce.Mode = config.ModeSafe })
	w.sees("a")
	w.pass(24 * time.Hour)
	w.conf.Enforce.Mode = config.ModeEnforce
	w.start()
	w.sees("a")
	return w
}

// Enforcement is switched on after warnings that said that no act follows.
func TestNoActAfterMailThatSaidNoneFollows(t *testing.T) {
	w := toldBefore(t)
	w.pass(2 * time.Hour)
	sent := w.mail.tries(docket.Warning)
	if len(w.gate.calls) != 0 || len(sent) != 4 {
		t.Fatalf("%d acts, %d warnings", len(w.gate.calls), len(sent))
	}
	w.pass(2 * time.Hour)
	if at := sent[3].digest.Items[0].ActAt(); len(w.gate.calls) != 1 || at.IsZero() || w.now().Before(at) {
		t.Errorf("%d acts; the last warning named %s", len(w.gate.calls), at)
	}
}

// A rule of availability acts only where the policy names it: its mail says the same.
func TestMailThreatensWhatPolicyDoes(t *testing.T) {
	w := newWorld(t)
	meta := w.engine.rules["IMAGE_REPO"]
	meta.Category = rule.Availability
	w.engine.rules["IMAGE_REPO"] = meta
	w.sees("a")
	w.pass(24 * time.Hour)
	d := w.docket("a")
	if n := w.engine.Needed(ledger.CaseRow{Docket: d.Key, Root: d.Root, Owner: d.Owner, Case: d.Cases[0]}); n != 0 || len(w.gate.calls) != 0 {
		t.Errorf("the page says %d warnings before an act; %d acts", n, len(w.gate.calls))
	}
	for _, s := range w.mail.tries(docket.Warning) {
		if i := s.digest.Items[0]; i.Needed != 0 || i.N == 3 && !i.NextAt.IsZero() {
			t.Errorf("threatens: %+v", i)
		}
	}
}
