package docket_test

import (
	"strings"
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/docket"
)

// opened is a docket with two open cases.
func opened(t *testing.T) *life {
	t.Helper()
	l := begin(t)
	l.see(nil, bad("app", "side"))
	l.open("app")
	l.open("side")
	return l
}

func (l *life) refs(p docket.Purpose) map[string]docket.NoticeRef {
	ref := docket.NoticeRef{Purpose: p, N: 1, Owner: "ada@example.com"}
	return map[string]docket.NoticeRef{id("app"): ref, id("side"): ref, "c-unknown": ref}
}

func TestOpenCaseOnce(t *testing.T) {
	l := opened(t)
	for _, c := range []string{id("app"), "c-unknown"} {
		if next, entries := docket.OpenCase(l.d, c, l.now.Add(time.Hour)); len(entries) != 0 || text(t, next) != text(t, l.d) {
			t.Errorf("%s opened again: %v", c, entries)
		}
	}
}

func TestNoticeIsAttachedAndSettledOnce(t *testing.T) {
	for _, result := range []docket.Result{docket.Sent, docket.UnknownSend} {
		l := opened(t)
		d, entries := docket.AttachNotice(l.d, "n-1", l.refs(docket.Warning), l.now)
		wantKinds(t, entries, docket.EntryNotice, docket.EntryNotice)
		if again, more := docket.AttachNotice(d, "n-1", l.refs(docket.Warning), l.now); len(more) != 0 || text(t, again) != text(t, d) {
			t.Errorf("attached twice: %v", more)
		}
		if p := d.Pending(); len(p) != 1 || p[0] != "n-1" || !d.Find(id("app")).Waits() {
			t.Errorf("pending %v", p)
		}
		settled, entries := docket.SettleNotice(d, "n-1", docket.Ending{Fate: docket.Fate{Result: result}, Detail: "250 ok"}, l.now)
		wantKinds(t, entries, docket.EntryNotice, docket.EntryNotice)
		for _, other := range []docket.Result{docket.Sent, docket.UnknownSend} {
			if again, more := docket.SettleNotice(settled, "n-1", docket.Ending{Fate: docket.Fate{Result: other}}, l.now.Add(time.Hour)); len(more) != 0 || text(t, again) != text(t, settled) {
				t.Errorf("%s, then settled again as %s: %v", result, other, more)
			}
		}
		want := map[docket.Result]int{docket.Sent: 1}[result]
		for _, owner := range []string{"ada@example.com", "bob@example.com"} {
			confirmed, tries := settled.Find(id("app")).Count(owner)
			if confirmed != want || tries != 1 {
				t.Errorf("%s for %s: %d confirmed in %d tries, want %d in 1", result, owner, confirmed, tries, want)
			}
			want = 0
		}
	}
}

func but(id string, r docket.Result) map[string]docket.Fate {
	return map[string]docket.Fate{id: {Result: r}}
}

// A notice may end otherwise for some of its cases, also under the name of a former one, and beside
// though it was meant for the owner.
func TestANoticeEndsForEachCase(t *testing.T) {
	l := opened(t)
	refs := l.refs(docket.Warning)
	d, _ := docket.AttachNotice(l.d, "n-1", refs, l.now)
	var first, second string
	for i := range d.Cases {
		if _, carried := refs[d.Cases[i].ID]; carried && first == "" {
			first = d.Cases[i].ID
		} else if carried {
			second = d.Cases[i].ID
		}
	}
	d.Find(second).Notice("n-1").Case = "c-former"
	for name, row := range map[string]struct {
		end        docket.Ending
		one, other docket.Result
		confirmed  int
	}{
		"as one":                  {docket.Ending{Fate: docket.Fate{Result: docket.Sent}}, docket.Sent, docket.Sent, 1},
		"one untold":              {docket.Ending{Fate: docket.Fate{Result: docket.UnknownSend}, But: but(first, docket.FailedSend)}, docket.FailedSend, docket.UnknownSend, 0},
		"the former one's untold": {docket.Ending{Fate: docket.Fate{Result: docket.UnknownSend}, But: but("c-former", docket.FailedSend)}, docket.UnknownSend, docket.FailedSend, 0},
		"not under its own name":  {docket.Ending{Fate: docket.Fate{Result: docket.UnknownSend}, But: but(second, docket.FailedSend)}, docket.UnknownSend, docket.UnknownSend, 0},
		"one told":                {docket.Ending{Fate: docket.Fate{Result: docket.UnknownSend}, But: but(first, docket.Sent)}, docket.Sent, docket.UnknownSend, 1},
		"beside":                  {docket.Ending{Fate: docket.Fate{Result: docket.Sent, Beside: true}}, docket.Sent, docket.Sent, 0},
	} {
		settled, entries := docket.SettleNotice(d, "n-1", row.end, l.now)
		confirmed, _ := settled.Find(first).Count("ada@example.com")
		if got, other := settled.Find(first).Notice("n-1").Result, settled.Find(second).Notice("n-1").Result; got != row.one || other != row.other || confirmed != row.confirmed {
			t.Errorf("%s: %s and %s, %d confirmed", name, got, other, confirmed)
		}
		if said := strings.Contains(entries[0].Text, "nobody personally"); said != row.end.Beside || entries[0].Data["result"] != string(row.one) {
			t.Errorf("%s: %+v", name, entries[0])
		}
		f := docket.Family{}
		f.Tell("s", docket.NoticeRef{Key: "n-1", Case: first, Result: docket.Pending})
		if f.Settle("n-1", row.end, l.now); f.Told["s"][0].Result != row.one || f.Told["s"][0].Beside != row.end.Beside {
			t.Errorf("%s: the family has %+v", name, f.Told["s"][0])
		}
	}
}

func TestClosingNoticesAreTold(t *testing.T) {
	l := opened(t)
	l.warn("app", 1)
	l.see(nil, pass())
	for p, told := range map[docket.Purpose]func(c *docket.Case) bool{
		docket.Enforced: func(c *docket.Case) bool { return c.Told(docket.Enforced) },
		docket.AllClear: func(c *docket.Case) bool { return c.ToldResolved },
	} {
		d, _ := docket.AttachNotice(l.d, "n", l.refs(p), l.now)
		if told(d.Find(id("app"))) {
			t.Errorf("%s is told before it is sent", p)
		}
		d, _ = docket.SettleNotice(d, "n", docket.Ending{Fate: docket.Fate{Result: docket.UnknownSend}}, l.now)
		if !told(d.Find(id("app"))) {
			t.Errorf("%s would be told twice", p)
		}
		if confirmed, tries := d.Find(id("app")).Count("ada@example.com"); confirmed != 1 || tries != 1 {
			t.Errorf("%s counts as a warning", p)
		}
	}
}

func TestPlanIsWrittenWhenItSaysSomethingNew(t *testing.T) {
	l := opened(t)
	p := docket.Plan{Step: "wait", Reason: "waiting", Next: "warning 1 of 3", At: l.now}
	d, entries, changed := docket.SetPlan(l.d, id("app"), p, l.now)
	if !changed || len(entries) != 1 {
		t.Fatal(entries, changed)
	}
	if _, entries, changed := docket.SetPlan(d, id("app"), p, l.now); changed || len(entries) != 0 {
		t.Error("the same plan was written twice")
	}
	p.At = p.At.Add(time.Hour)
	if next, entries, changed := docket.SetPlan(d, id("app"), p, l.now); !changed || len(entries) != 0 || !next.Find(id("app")).Plan.At.Equal(p.At) {
		t.Error("a date that moves is kept without an entry")
	}
	if _, _, changed := docket.SetPlan(d, "c-unknown", p, l.now); changed {
		t.Error("planned a case that is not there")
	}
}

func TestOneRootOneEnforcement(t *testing.T) {
	l := opened(t)
	l.act(docket.ScaleToZero)
	for _, state := range []docket.EnforcementState{docket.Intent, docket.Done, docket.Undoing, docket.Undid} {
		l.d.Enforcement.State = state
		if _, _, err := docket.Intend(l.d, docket.Enforcement{ID: "e-2"}); err == nil || !strings.Contains(err.Error(), "e-1") {
			t.Errorf("%s: a second intent: %v", state, err)
		}
	}
}

func TestRefuseTakesOnlyAnIntentBack(t *testing.T) {
	l := opened(t)
	l.act(docket.ScaleToZero)
	refused, entries := docket.Refuse(l.d, docket.Refusal{Rule: 8, Name: "budget", At: l.now})
	wantKinds(t, entries, docket.EntryRefused)
	if refused.Enforcement != nil || refused.Refusal == nil || l.d.Enforcement == nil {
		t.Errorf("%+v", refused)
	}
	done, _ := docket.Did(l.d, "5", "", l.now)
	if next, entries := docket.Refuse(done, docket.Refusal{Rule: 8}); len(entries) != 0 || next.Enforcement == nil {
		t.Error("what was done cannot be refused")
	}
	if again, entries := docket.Did(done, "6", "", l.now.Add(time.Hour)); len(entries) != 0 || text(t, again) != text(t, done) {
		t.Error("done twice")
	}
	l.d = done
	l.want("app", docket.Acted, 0)
	l.want("side", docket.Open, 0)
}

func TestUndo(t *testing.T) {
	l := opened(t)
	u := docket.Undo{By: "ada", Reason: "page down", At: l.now}
	refuse := func(when, want string) {
		t.Helper()
		if next, entries, err := docket.BeginUndo(l.d, u); err == nil || !strings.Contains(err.Error(), want) || len(entries) != 0 || text(t, next) != text(t, l.d) {
			t.Errorf("undo %s: %v, %v; want an error with %q", when, entries, err, want)
		}
	}
	refuse("without an act", "nothing was done")
	l.act(docket.ScaleToZero)
	refuse("of an intent", "nothing was done")
	l.d, _ = docket.Did(l.d, "5", "", l.now)
	u.Case = id("side") // nothing was done about it
	refuse("of another case of the same object", docket.ScaleToZero+" of Deployment/shop/web was done about "+id("app")+": k8guard undo "+id("app"))
	u.Case = id("app")
	undoing, entries, err := docket.BeginUndo(l.d, u)
	if wantKinds(t, entries, docket.EntryUndoing); err != nil || !undoing.Live() {
		t.Fatal(err)
	}
	if again, entries, err := docket.BeginUndo(undoing, u); err != nil || len(entries) != 0 || text(t, again) != text(t, undoing) {
		t.Errorf("asked twice: %v, %v", entries, err)
	}
	stopped, entries := docket.StopUndo(undoing, "changed by bob", l.now)
	if wantKinds(t, entries, docket.EntryRefused); stopped.Enforcement.State != docket.Done {
		t.Errorf("stopped: %s", stopped.Enforcement.State)
	}
	if _, entries, err := docket.BeginUndo(stopped, u); err != nil || len(entries) != 1 {
		t.Errorf("undo after a stop: %v, %v", entries, err)
	}
	restored, entries := docket.Restored(undoing, "", "", 2*time.Hour, l.now)
	if wantKinds(t, entries, docket.EntryUndone); restored.Enforcement.State != docket.Undid || !restored.CoolOffUntil.Equal(l.now.Add(2*time.Hour)) {
		t.Errorf("restored: %+v", restored.Enforcement)
	}
	for _, d := range []docket.Docket{restored, l.d} {
		if next, entries := docket.Restored(d, "x", "", time.Hour, l.now); len(entries) != 0 || text(t, next) != text(t, d) {
			t.Errorf("restored from %s", d.Enforcement.State)
		}
	}
	l.d = restored
	refuse("of an undo", "by ada")
}

func TestAFenceIsOnRecordWithItsToken(t *testing.T) {
	l := opened(t)
	l.act(docket.ScaleToZero)
	l.d, _ = docket.AddFence(l.d, docket.Fence{Token: "e-1/first", At: l.now})
	before := text(t, l.d)
	fenced, entries := docket.AddFence(l.d, docket.Fence{Token: "e-1/second", At: l.now})
	wantKinds(t, entries, docket.EntryFenced)
	if got := entries[0].Data["token"]; got != "e-1/second" || entries[0].Data["enforcement"] != "e-1" {
		t.Errorf("the history has %v", entries[0].Data)
	}
	if n := len(fenced.Enforcement.Fences); n != 2 || text(t, l.d) != before {
		t.Errorf("%d fences, want 2; or the docket before was changed", n)
	}
}

func TestOnlyTheNewestStateIsBeingSent(t *testing.T) {
	l := opened(t)
	l.act(docket.ScaleToZero)
	before := text(t, l.d)
	sending := docket.SetSending(docket.SetPrior(l.d, docket.Prior{ResourceVersion: "5"}, "g"), l.now)
	if e := sending.Enforcement; !e.Sending.Equal(l.now) || e.Prior.ResourceVersion != "5" || text(t, l.d) != before {
		t.Errorf("%+v", e)
	}
	if e := docket.SetPrior(sending, docket.Prior{ResourceVersion: "6"}, "g").Enforcement; !e.Sending.IsZero() {
		t.Errorf("a state that nothing was sent on is marked as sent at %s", e.Sending)
	}
}

func TestReplicasInWords(t *testing.T) {
	one, two := int32(1), int32(2)
	for _, test := range []struct {
		prior docket.Prior
		want  string
	}{{docket.Prior{Replicas: &one}, "1 replica"}, {docket.Prior{Replicas: &two}, "2 replicas"}, {docket.Prior{Manifest: []byte("{}")}, "manifest kept (2 bytes)"}, {docket.Prior{}, ""}} {
		if got := test.prior.Text(); got != test.want {
			t.Errorf("%q, want %q", got, test.want)
		}
	}
}
