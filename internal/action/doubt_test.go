package action

import (
	"errors"
	"testing"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/notify"
	"github.com/k8guard/k8guard/internal/outbox"
	"github.com/k8guard/k8guard/internal/policy"
)

// stopped wants that nobody was told and nothing was done since, and that the plan says why.
func (w *world) stopped(uid string, mails, acts int, text string) {
	w.Helper()
	if len(w.mail.sent) != mails || len(w.gate.calls) != acts {
		w.Errorf("%d mails and %d acts, want %d and %d", len(w.mail.sent), len(w.gate.calls), mails, acts)
	}
	if p := w.only(uid).Plan; p.Reason != policy.LedgerDoubt || p.Text != text || p.Step != policy.None || !p.At.IsZero() {
		w.Errorf("plan %+v", p)
	}
}

func (w *world) doubts() {
	must(w, w.engine.Control.TripLedger(w.Context(), cluster(), "the ledger fell back", "x/9"))
}

func (w *world) decides() { must(w, w.engine.Control.Accept(w.Context(), "", "ada", "restored")) }

// Until the cluster's Lease was read once, nobody knows whether the ledger is an old one.
func TestNothingIsToldBeforeTheFirstLook(t *testing.T) {
	w := newWorld(t)
	w.gate.behind = errors.New("the cluster does not answer")
	w.start()
	w.sees("a")
	w.pass(30 * time.Hour)
	w.stopped("a", 0, 0, unchecked)
	w.gate.behind = nil
	w.pass(3 * step)
	if len(w.mail.tries(docket.Warning)) != 1 {
		t.Errorf("%d mails after the first look", len(w.mail.sent))
	}
	// What fails later is no doubt: an older ledger opens the breaker.
	w.gate.behind = errors.New("the cluster does not answer")
	w.pass(20 * time.Hour)
	if len(w.gate.calls) != 1 {
		t.Errorf("%d acts", len(w.gate.calls))
	}
}

// The first round leaves no trace of what the first look will allow in a moment.
func TestTheFirstRoundWaitsForTheFirstLook(t *testing.T) {
	w := newWorld(t)
	w.sees("a")
	w.engine.sites[cluster().Name].ledger.good = false
	w.engine.sites[cluster().Name].ledger.next = time.Time{}
	w.gate.mu.Lock() // the look does not come to its end before the round does
	must(t, w.engine.round(t.Context()))
	w.gate.mu.Unlock()
	w.engine.senders.Wait()
	if p := w.only("a").Plan; p.Reason != "" {
		t.Errorf("decided: %+v", p)
	}
	must(t, w.engine.round(t.Context()))
	if p := w.only("a").Plan; p.Reason != policy.Standing {
		t.Errorf("not decided: %+v", p)
	}
}

// Each start looks, and then each half a minute: of what is older the cluster knows better. A
// dry run leaves no trace, and nobody is told anyway.
func TestTheLedgerIsShownRegularly(t *testing.T) {
	w := newWorld(t)
	for range 10 {
		w.clock.add(10 * time.Second)
		must(t, w.engine.round(t.Context()))
		w.engine.senders.Wait()
	}
	if w.gate.checks != 1+3 {
		t.Errorf("%d looks, want the first and three", w.gate.checks)
	}
	dry := newWorld(t, func(c *config.Config) { c.Enforce.Mode = config.ModeDryRun })
	if dry.pass(time.Hour); dry.gate.checks != 0 {
		t.Errorf("%d looks of a dry run", dry.gate.checks)
	}
}

// Of several replicas one shows it regularly: who has the cluster's own bucket.
func TestOneReplicaShowsTheLedger(t *testing.T) {
	h := newHall(t, 2)
	gates := []*gate{{w: h.world}, {w: h.world}}
	for i, e := range h.engines {
		e.SetGate(cluster().Name, gates[i], "")
	}
	h.goOn(5 * step)
	holder := docket.BucketOf(cluster().UID) % 2
	if n, others := gates[holder].checks, gates[1-holder].checks; n < 5 || others != 0 {
		t.Errorf("%d looks by the holder, %d by the other", n, others)
	}
}

// Without an account there is nothing to look with: nobody is held.
func TestWithoutAnAccountNobodyIsHeld(t *testing.T) {
	w := newWorld(t)
	w.gate.behind = errors.New("forbidden")
	w.start()
	w.engine.NoGate(cluster().Name, "no account that may act")
	w.sees("a")
	if w.pass(time.Hour); len(w.mail.sent) != 1 {
		t.Errorf("%d mails", len(w.mail.sent))
	}
}

// At each stage of its ladder a case stands still while the ledger is in doubt, and goes on from
// there after a person decided.
func TestADoubtHoldsEachStage(t *testing.T) {
	for _, test := range []struct {
		name        string
		before      time.Duration
		mails, acts int
		change      func(o *v1.Observation)
	}{
		{"before the first warning", 0, 0, 0, nil},
		{"between warnings", 4 * time.Hour, 1, 0, nil},
		{"before the act", 13 * time.Hour, 3, 0, nil},
		{"resolved, to be told", 4 * time.Hour, 1, 0, clean},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			w.sees("a")
			w.pass(test.before)
			w.doubts()
			if test.change != nil {
				w.sees("a", test.change)
			}
			w.pass(50 * time.Hour)
			w.stopped("a", test.mails, test.acts, doubtful)
			w.decides()
			w.pass(30 * time.Hour)
			if test.change != nil {
				if n := len(w.mail.tries(docket.AllClear)); n != 1 {
					t.Errorf("%d mails say that it is over", n)
				}
			} else if n := len(w.mail.tries(docket.Warning)); n != 3 || len(w.gate.calls) != 1 {
				t.Errorf("%d warnings, %d acts, want three and one", n, len(w.gate.calls))
			}
		})
	}
}

// A notice that was to be tried again waits, and goes out under its number afterwards.
func TestADoubtHoldsANoticeThatIsDueAgain(t *testing.T) {
	w := newWorld(t)
	w.mail.script = []notify.OutcomeState{notify.Failed}
	w.sees("a")
	for len(w.mail.sent) == 0 {
		w.pass(step)
	}
	w.doubts()
	w.pass(30 * time.Hour)
	w.stopped("a", 1, 0, doubtful)
	w.decides()
	w.pass(time.Hour)
	if s := w.mail.sent; len(s) != 2 || s[0].digest.Number != s[1].digest.Number {
		t.Errorf("%+v", s)
	}
}

// What an old ledger says was begun is not carried through: it may have been long ago.
func TestADoubtHoldsOpenActs(t *testing.T) {
	w := newWorld(t)
	w.sees("a")
	w.pass(2 * step)
	w.intend(keyOf("a"))
	w.doubts()
	w.start()
	w.pass(time.Hour)
	w.stopped("a", 1, 0, doubtful)
	if len(w.gate.settled) != 0 || w.engine.Idle() {
		t.Errorf("settled %v, idle %v", w.gate.settled, w.engine.Idle())
	}
	w.decides()
	w.pass(time.Hour)
	if len(w.gate.settled) != 1 {
		t.Errorf("settled %v", w.gate.settled)
	}
}

// An owner hears of other clusters meanwhile, and of the held one afterwards.
func TestADoubtHoldsItsClusterAlone(t *testing.T) {
	h := newHall(t, 1)
	h.joins(h.gate)
	h.finds("web")
	o := h.observation("west-web", inWest)
	h.say(v1.Message{Observation: &o})
	h.goOn(step) // both wait in the outbox
	if n := len(h.box().Entries); n != 2 {
		t.Fatalf("%d entries", n)
	}
	must(t, h.engine.Control.TripLedger(t.Context(), west(), "the ledger fell back", "x/9"))
	h.goOn(17 * time.Hour)
	for _, s := range h.mail.sent {
		if s.digest.Cluster != cluster().Name {
			t.Errorf("told of %s", s.digest.Cluster)
		}
	}
	if b := h.box(); len(h.gate.calls) != 1 || len(b.Entries) != 1 || b.Entries[0].Docket.Cluster != west().UID {
		t.Errorf("%d acts, left in the outbox: %+v", len(h.gate.calls), b.Entries)
	}
	must(t, h.engine.Control.Accept(t.Context(), "west", "ada", "restored"))
	sent := len(h.mail.sent)
	h.goOn(time.Hour)
	if len(h.mail.sent) != sent+1 || h.mail.sent[sent].digest.Cluster != "west" {
		t.Errorf("%d mails after it", len(h.mail.sent)-sent)
	}
}

// A notice that speaks of several clusters waits as a whole: its cases are fixed.
func TestANoticeOfSeveralClustersWaits(t *testing.T) {
	w := newWorld(t)
	n := outbox.Notice{Digest: notify.Digest{Cluster: "east, west", Items: []notify.Item{{Cluster: "east"}, {Cluster: "west"}}}}
	for _, test := range []struct {
		held string
		want bool
	}{{"west", true}, {"north", false}} {
		w.engine.last = map[string]policy.Controls{test.held: {Doubt: doubtful}}
		if got := w.engine.inDoubt(n); got != test.want {
			t.Errorf("%s: %v", test.held, got)
		}
	}
}

// Each replica looks by itself before it tells: one that cannot, leaves the outboxes that it
// has alone, whatever others file.
func TestEachReplicaLooksByItself(t *testing.T) {
	h := newHall(t, 2)
	box := outbox.BoxKey(ada().Key(), "email")
	teller := h.engines[docket.BucketOf(box)%2]
	blind := &gate{w: h.world, behind: errors.New("no route")}
	teller.SetGate(cluster().Name, blind, "")
	teller.sites[cluster().Name].ledger.good = false
	for _, uid := range uids(2) {
		h.finds(uid)
	}
	h.goOn(10 * time.Hour)
	if len(h.mail.sent) != 0 {
		t.Errorf("%d mails", len(h.mail.sent))
	}
	blind.behind = nil
	h.goOn(time.Hour)
	if len(h.mail.sent) != 1 {
		t.Errorf("%d mails after its first look", len(h.mail.sent))
	}
}
