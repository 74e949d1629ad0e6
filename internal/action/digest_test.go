package action

import (
	"testing"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/notify"
	"github.com/k8guard/k8guard/internal/policy"
)

func bob(o *v1.Observation) { o.Owner.Emails = []string{"bob@example.com"} }

func roots(d notify.Digest) map[string]int {
	found := map[string]int{}
	for _, i := range d.Items {
		found[i.Root.UID]++
	}
	return found
}

func TestOneDigestForAnOwner(t *testing.T) {
	w := newWorld(t)
	for _, uid := range []string{"a", "b", "c"} {
		w.sees(uid)
	}
	w.sees("d", bob)
	w.pass(time.Hour)
	if len(w.mail.sent) != 2 {
		t.Fatalf("%d mails, want one for each owner", len(w.mail.sent))
	}
	for _, s := range w.mail.sent {
		want := 3
		if s.digest.To[0] == "bob@example.com" {
			want = 1
		}
		if found := roots(s.digest); len(found) != want || len(s.digest.Items) != want {
			t.Errorf("to %v: %v", s.digest.To, found)
		}
	}
	// What comes later waits for the gap between two mails.
	w.sees("e")
	w.pass(2 * time.Hour)
	if n := len(w.mail.sent); n != 3 {
		t.Fatalf("%d mails, want one more", n)
	}
	for _, first := range w.mail.sent[:2] {
		if gap := w.mail.sent[2].at.Sub(first.at); first.digest.To[0] == "ada@example.com" && gap < w.conf.Notify.Gap {
			t.Errorf("the second mail to one owner came after %s", gap)
		}
	}
}

// Entries wait in the outbox while the gap to the owner's last mail lasts; what happens
// meanwhile decides whether they are told.
func TestEntriesThatAreNoLongerDueAreDropped(t *testing.T) {
	w := newWorld(t)
	w.sees("first")
	w.pass(10 * time.Minute)
	for _, uid := range []string{"fixed", "moved", "stays", "gone"} {
		w.sees(uid)
	}
	w.pass(20 * time.Minute)
	if len(w.mail.sent) != 1 {
		t.Fatalf("%d mails within the gap, want one", len(w.mail.sent))
	}
	w.sees("fixed", clean)
	w.sees("moved", bob)
	w.sees("gone", gone)
	w.pass(2 * time.Hour)
	told := map[string][]string{}
	for _, s := range w.mail.sent[1:] {
		for uid := range roots(s.digest) {
			told[uid] = append(told[uid], s.digest.To[0])
		}
	}
	if len(told) != 2 || len(told["stays"]) != 1 || told["stays"][0] != "ada@example.com" || len(told["moved"]) != 1 || told["moved"][0] != "bob@example.com" {
		t.Errorf("told: %v", told)
	}
	if len(w.engine.boxes.list()) != 0 {
		t.Errorf("outboxes are left: %v", w.engine.boxes.list())
	}
}

// A new owner starts confirmations again, within the total.
func TestANewOwnerIsWarnedAnew(t *testing.T) {
	w := newWorld(t)
	w.sees("a")
	w.pass(13 * time.Hour)
	if n := len(w.mail.tries(docket.Warning)); n != 3 {
		t.Fatalf("%d warnings", n)
	}
	w.sees("a", bob)
	w.pass(40 * time.Hour)
	c := w.only("a")
	confirmed, tries := c.Count("bob@example.com")
	if confirmed != 2 || tries != 5 || c.Plan.Reason != policy.HumanNeeded || len(w.gate.calls) != 0 {
		t.Errorf("%d confirmed in %d tries, plan %+v, %d acts", confirmed, tries, c.Plan, len(w.gate.calls))
	}
}

func TestAResolvedCaseIsToldOnce(t *testing.T) {
	w := newWorld(t)
	w.sees("told")
	w.pass(30 * time.Minute)
	w.sees("quick")
	w.pass(2 * time.Minute)
	w.sees("quick", clean)
	w.sees("told", clean)
	w.pass(5 * time.Hour)
	w.sees("told", clean)
	w.start()
	w.pass(5 * time.Hour)
	clear := w.mail.tries(docket.AllClear)
	if len(clear) != 1 || len(clear[0].digest.Items) != 1 || clear[0].digest.Items[0].Root.UID != "told" {
		t.Errorf("all-clears: %+v", clear)
	}
	if len(w.mail.sent) != 2 || w.docket("told").Live() || w.docket("quick").Live() {
		t.Errorf("%d mails; live %v %v", len(w.mail.sent), w.docket("told").Live(), w.docket("quick").Live())
	}
}

func TestADigestLeavesOutWhatHasAnotherOwnerNow(t *testing.T) {
	w := newWorld(t)
	b := filed(w)
	w.sees("a", bob)
	controls, err := w.engine.controls(t.Context())
	must(t, err)
	d, dropped, err := w.engine.digest(t.Context(), b, controls)
	if must(t, err); len(d.Items) != 0 || len(dropped) != 1 || dropped[0] != b.Entries[0] {
		t.Errorf("%+v, dropped %v", d.Items, dropped)
	}
}

// What a rule of a team finds goes to that team, beside what the owner of the root is told,
// and each counts for itself.
func TestARuleOfATeamIsToldToThatTeam(t *testing.T) {
	w := newWorld(t)
	security := v1.Owner{Emails: []string{"sec@example.com"}, Platform: true, From: "teams file, team security"}
	both := func(o *v1.Observation) {
		v := o.Verdicts[0]
		v.Rule = "PRIVILEGED"
		o.Verdicts, o.Owners = append(o.Verdicts, v), map[string]v1.Owner{"PRIVILEGED": security}
	}
	w.sees("a", both)
	w.pass(13 * time.Hour)
	told := map[string]int{}
	for _, s := range w.mail.tries(docket.Warning) {
		for _, item := range s.digest.Items {
			told[s.digest.To[0]+" "+item.Rule]++
		}
	}
	if len(told) != 2 || told["ada@example.com IMAGE_REPO"] != 3 || told["sec@example.com PRIVILEGED"] != 3 {
		t.Errorf("told %v", told)
	}
	w.sees("a", both, clean)
	w.pass(3 * time.Hour)
	if clear := w.mail.tries(docket.AllClear); len(clear) != 2 {
		t.Errorf("%d all-clears, want one to each", len(clear))
	}
}
