package action

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/enforce"
	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/policy"
)

func TestOverBudgetNobodyActs(t *testing.T) {
	w := newWorld(t, func(c *config.Config) { c.Enforce.Budget.PerHour, c.Enforce.Budget.Percent = 3, 100 })
	for n := range 4 {
		w.sees(fmt.Sprint("root-", n))
	}
	w.pass(16 * time.Hour)
	if len(w.gate.calls) != 4 {
		t.Fatalf("the gate was asked %d times, want once for each", len(w.gate.calls))
	}
	for n, c := range w.gate.calls {
		d := w.docket(fmt.Sprint("root-", n))
		if c.over == "" || d.Enforcement != nil || d.Refusal == nil || d.Cases[0].State != docket.Open || d.Cases[0].Plan.Reason != policy.HumanNeeded {
			t.Errorf("%+v: enforcement %v, refusal %v, %s, plan %+v", c, d.Enforcement, d.Refusal, d.Cases[0].State, d.Cases[0].Plan)
		}
	}
}

// A person who raises the budget does not wait for the pause of the no that it answers.
func TestAChangedBudgetIsAskedForAtOnce(t *testing.T) {
	w := newWorld(t, func(c *config.Config) { c.Enforce.Budget.Percent = 0 })
	w.sees("a")
	w.sees("b")
	w.pass(15*time.Hour + 20*time.Minute)
	if d := w.docket("a"); len(w.gate.calls) != 2 || d.Refusal == nil || !strings.Contains(d.Refusal.Text, "it takes enforce.budget.floor of 2") {
		t.Fatalf("%d calls, %+v", len(w.gate.calls), d.Refusal)
	}
	again := func() {
		w.start()
		w.sees("a")
		w.sees("b")
		w.pass(10 * time.Minute)
	}
	if again(); len(w.gate.calls) != 2 {
		t.Fatalf("%d calls, want none before the pause is over", len(w.gate.calls))
	}
	w.conf.Enforce.Budget.Floor = 2
	again()
	if w.docket("a").Enforcement == nil || w.docket("b").Enforcement == nil {
		t.Errorf("not done by the new budget: %+v", w.only("a").Plan)
	}
}

func TestWithoutJudgedRootsNobodyActs(t *testing.T) {
	w := newWorld(t)
	w.engine.index.setAudit(cluster(), audit{judged: 0, at: w.now()})
	w.sees("a")
	w.pass(20 * time.Hour)
	if len(w.gate.calls) != 0 || w.only("a").State != docket.Open {
		t.Errorf("%d acts", len(w.gate.calls))
	}
}

func TestASwitchHoldsTheAct(t *testing.T) {
	for _, test := range []struct {
		name   string
		on     func(w *world) error
		off    func(w *world) error
		reason string
	}{
		{"freeze", func(w *world) error { return w.engine.Control.Freeze(w.Context(), "global", "ada", "incident") },
			func(w *world) error { return w.engine.Control.Unfreeze(w.Context(), "global") }, policy.Frozen},
		{"breaker", func(w *world) error { return w.engine.Control.Trip(w.Context(), cluster(), "two undos") },
			func(w *world) error { return w.engine.Control.Close(w.Context(), "", "ada", "looked into it") }, policy.BreakerOpen},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			w.sees("a")
			must(t, test.on(w))
			w.pass(20 * time.Hour)
			if p := w.only("a").Plan; len(w.gate.calls) != 0 || p.Reason != test.reason || len(w.mail.sent) != 3 {
				t.Fatalf("%d acts, %d mails, plan %+v", len(w.gate.calls), len(w.mail.sent), p)
			}
			must(t, test.off(w))
			if w.pass(time.Hour); len(w.gate.calls) != 1 {
				t.Errorf("%d acts after it ended", len(w.gate.calls))
			}
		})
	}
}

// A freeze returns when what had begun has ended; what does not end is said to be pending.
func TestFreezeWaitsForOpenActs(t *testing.T) {
	for _, test := range []struct {
		name    string
		lasts   time.Duration
		pending bool
	}{{"nothing is open", 0, false}, {"an act ends in time", 3 * time.Second, false}, {"an act does not end", time.Minute, true}} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.now = time.Now
				w.start()
				began := time.Now()
				if test.lasts > 0 {
					if !w.engine.index.take(keyOf("a")) {
						t.Fatal("busy")
					}
					time.AfterFunc(test.lasts, func() { w.engine.index.release(keyOf("a")) })
				}
				pending, err := w.engine.Freeze(t.Context(), "global", "ada", "incident")
				took := time.Since(began)
				if err != nil || pending != test.pending || took < min(test.lasts, 10*time.Second) || took > min(test.lasts, 10*time.Second)+time.Second {
					t.Errorf("pending %v after %s, %v", pending, took, err)
				}
				if frozen, err := w.engine.Control.Frozen(t.Context(), "test"); err != nil || frozen != "global" {
					t.Errorf("%q, %v", frozen, err)
				}
				time.Sleep(test.lasts)
			})
		})
	}
}

// A freeze says pending while a dead process's act has an open outcome, though nobody works
// on it: what was sent may still arrive.
func TestFreezeWaitsForAnOpenOutcome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.now = time.Now
		w.start()
		w.sees("a")
		must(w, w.engine.round(t.Context()))
		if !w.engine.Idle() {
			t.Fatal("not idle though nothing is open")
		}
		_, err := ledger.Update(t.Context(), w.ledger, keyOf("a"), func(d docket.Docket) (docket.Docket, []docket.Entry, bool, error) {
			next, entries, err := docket.Intend(d, docket.Enforcement{ID: "e-dead", Cases: []string{d.Cases[0].ID}})
			return next, entries, true, err
		})
		must(w, err)
		w.start()
		if pending, err := w.engine.Freeze(t.Context(), "global", "ada", "incident"); err != nil || !pending {
			t.Errorf("pending %v, %v", pending, err)
		}
		must(w, w.engine.round(t.Context()))
		if pending, err := w.engine.Freeze(t.Context(), "global", "ada", "incident"); err != nil || pending {
			t.Errorf("settled, and pending %v, %v", pending, err)
		}
	})
}

func TestUndoSaysWhatIsWrong(t *testing.T) {
	w := newWorld(t)
	w.sees("a")
	w.pass(2 * step)
	id := w.only("a").ID
	if _, err := w.engine.Undo(t.Context(), "c-none", docket.Undo{By: "ada", Reason: "mistake"}); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("an unknown case: %v", err)
	}
	if _, err := w.engine.Undo(t.Context(), id, docket.Undo{By: "ada", Reason: "mistake"}); err == nil || !strings.Contains(err.Error(), "nothing to undo") {
		t.Errorf("nothing was done: %v", err)
	}
	if !w.engine.index.take(keyOf("a")) {
		t.Fatal("a refused undo left the docket busy")
	}
	if _, err := w.engine.Undo(t.Context(), id, docket.Undo{By: "ada", Reason: "mistake"}); err == nil || !strings.Contains(err.Error(), "under way") {
		t.Errorf("beside an act: %v", err)
	}
	w.engine.index.release(keyOf("a"))
	w.engine.SetGate(cluster().Name, nil, "no account")
	if _, err := w.engine.Undo(t.Context(), id, docket.Undo{By: "ada", Reason: "mistake"}); err == nil || !strings.Contains(err.Error(), "actionKubeconfig") {
		t.Errorf("without a gate: %v", err)
	}
}

// An undo by a case that nothing was done about takes nothing back: it names the case of the act.
func TestUndoIsOfTheCaseThatWasActedOn(t *testing.T) {
	w := newWorld(t)
	w.sees("a")
	w.pass(16 * time.Hour)
	acted := w.only("a").ID
	w.sees("a", func(o *v1.Observation) {
		other := o.Verdicts[0]
		other.Rule, o.Hash = "OTHER", "two"
		o.Verdicts = append(o.Verdicts, other)
	})
	for _, c := range w.docket("a").Cases {
		if c.ID == acted {
			continue
		}
		_, err := w.engine.Undo(t.Context(), c.ID, docket.Undo{By: "ada", Reason: "mistake"})
		if err == nil || !strings.Contains(err.Error(), "k8guard undo "+acted) || w.docket("a").Enforcement.State != docket.Done {
			t.Errorf("by another case: %v, %s", err, w.docket("a").Enforcement.State)
		}
	}
	if len(w.docket("a").Cases) != 2 {
		t.Errorf("%d cases, want 2", len(w.docket("a").Cases))
	}
	if _, err := w.engine.Undo(t.Context(), acted, docket.Undo{By: "ada", Reason: "mistake"}); err != nil || w.docket("a").Enforcement.Undo.Case != acted {
		t.Errorf("by its own case: %v", err)
	}
}

// An ingress comes back from an undo with a new UID: it stays in its docket. While the undo
// is pending, nobody knows whose the new object is, and it has to wait.
func TestARestoredIngressStaysInItsDocket(t *testing.T) {
	w := newWorld(t)
	ingress := func(o *v1.Observation) { o.Root.Kind, o.Root.Name = "Ingress", "web" }
	w.sees("old", ingress)
	w.pass(16 * time.Hour)
	if len(w.gate.calls) != 1 {
		t.Fatalf("%d acts", len(w.gate.calls))
	}
	w.sees("old", ingress, gone)
	w.gate.alias = func(begun bool) {
		uid := "restored"
		if begun {
			uid = ""
		}
		_, err := ledger.UpdateRecord(t.Context(), w.ledger, enforce.AliasKey(cluster().UID, "shop", "web"), func(a *enforce.Alias) (bool, error) {
			*a = enforce.Alias{Docket: keyOf("old"), UID: uid, Pending: begun}
			return true, nil
		})
		must(t, err)
		if begun {
			o := w.observation("restored", ingress)
			if err := w.engine.handle(t.Context(), v1.Message{Observation: &o}); err != nil || w.docket("restored").Version != 0 {
				t.Errorf("observed while the undo is pending: %v, docket %+v", err, w.docket("restored"))
			}
		}
	}
	if _, err := w.engine.Undo(t.Context(), w.only("old").ID, docket.Undo{By: "ada", Reason: "mistake"}); err != nil {
		t.Fatal(err)
	}
	w.sees("restored", ingress)
	w.pass(20 * time.Hour)
	if d := w.docket("restored"); d.Version != 0 {
		t.Errorf("the restored ingress has a docket of its own: %+v", d)
	}
	if told := w.mail.tries(docket.Undone); len(told) != 1 || !strings.Contains(told[0].digest.Items[0].Back, "by ada: mistake") {
		t.Errorf("told of the undo: %+v", told)
	}
	d := w.docket("old")
	if !d.Holds("restored") || d.Root.UID != "restored" || d.Enforcement.State != docket.Undid || len(w.gate.calls) != 1 {
		t.Errorf("%+v, %d acts", d, len(w.gate.calls))
	}
	// Another ingress of that name is another root.
	w.sees("third", ingress)
	if w.docket("third").Version == 0 {
		t.Error("an ingress made later is taken for the restored one")
	}
}
