package docket_test

import (
	"fmt"
	"testing"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/docket"
)

func TestReopen(t *testing.T) {
	for _, test := range []struct {
		name      string
		pause     time.Duration
		confirmed int
		state     docket.State
	}{
		{"within the window its warnings count", docket.ReopenWindow - 2*time.Minute, 1, docket.Standing},
		{"after it the ladder starts anew", docket.ReopenWindow, 0, docket.Standing},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := begin(t)
			l.see(nil, bad("app"))
			l.open("app")
			l.warn("app", 1)
			wantKinds(t, l.see(nil, pass()), docket.EntryResolved)
			l.now = l.now.Add(test.pause)
			wantKinds(t, l.see(nil, bad("app")), docket.EntryReopened)
			l.want("app", test.state, test.confirmed)
			if c := l.d.Find(id("app")); !c.ResolvedAt.IsZero() || !c.OpenedAt.IsZero() || !c.FirstSeen.Equal(l.now) {
				t.Errorf("reopened: %+v", c)
			}
		})
	}
}

// Whoever was told of a case is told each time that it is over, and once only.
func TestAllClearIsOwedAgainAfterReopening(t *testing.T) {
	l := begin(t)
	l.see(nil, bad("app"))
	l.open("app")
	for life := range 2 {
		l.warn("app", life+1)
		l.see(nil, pass())
		if c := l.d.Find(id("app")); c.ToldResolved || !l.d.Live() {
			t.Fatalf("the all-clear is not owed: %+v", c)
		}
		l.tell("app", docket.AllClear, 1, docket.Sent)
		if l.d.Live() {
			t.Fatal("told, and still live")
		}
		l.see(nil, bad("app"))
		l.open("app")
		if c := l.d.Find(id("app")); c.ToldResolved {
			t.Fatalf("reopened, and counted as told: %+v", c)
		}
	}
	// Nobody was warned in this life.
	if l.see(nil, pass()); l.d.Live() {
		t.Errorf("a second all-clear for one warning: %+v", l.d.Find(id("app")).Notices)
	}
}

// An all-clear goes to whom a warning may have reached, and to nobody else.
func TestAllClearIsOwedToWhoWasWarned(t *testing.T) {
	for _, test := range []struct {
		name    string
		purpose docket.Purpose
		result  docket.Result
		owner   string // of the docket, when it resolves
		want    bool
	}{
		{"warned", docket.Warning, docket.Sent, "ada@example.com", true},
		{"perhaps warned", docket.Warning, docket.UnknownSend, "ada@example.com", true},
		{"surely not warned", docket.Warning, docket.FailedSend, "ada@example.com", false},
		{"somebody else was warned", docket.Warning, docket.Sent, "bob@example.com", false},
		{"only the platform was asked", docket.NeedsHuman, docket.Sent, "ada@example.com", false},
	} {
		for _, late := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, settled late %v", test.name, late), func(t *testing.T) {
				l := begin(t)
				l.see(nil, bad("app"))
				l.open("app")
				ref := map[string]docket.NoticeRef{id("app"): {Purpose: test.purpose, N: 1, Owner: "ada@example.com"}}
				l.d, _ = docket.AttachNotice(l.d, "n", ref, l.now)
				settle := func() {
					l.d, _ = docket.SettleNotice(l.d, "n", docket.Ending{Fate: docket.Fate{Result: test.result}}, l.now)
				}
				if !late {
					settle()
				}
				l.see(func(o *v1.Observation) { o.Owner.Emails = []string{test.owner} }, pass())
				if late {
					if !l.d.Live() {
						t.Fatal("a notice is on its way, and nobody waits for its outcome")
					}
					settle()
				}
				if c := l.d.Find(id("app")); l.d.Live() != test.want || c.ToldResolved == test.want {
					t.Errorf("live %v, case %+v; want an all-clear: %v", l.d.Live(), c, test.want)
				}
			})
		}
	}
}

// A new defect after all was well brings the count of the old one, and must stand and be
// warned of itself. One that takes the old one's place in the same moment is the old one.
func TestANewDefectAfterAllWasWellMustStandFirst(t *testing.T) {
	for name, pause := range map[string]bool{"at once": false, "later": true} {
		t.Run(name, func(t *testing.T) {
			l := begin(t)
			l.see(nil, bad("app"))
			l.open("app")
			opened := l.now
			l.warn("app", 1)
			if pause {
				l.see(nil, pass())
			}
			l.now = l.now.Add(time.Hour)
			l.see(nil, bad("agent"))
			c := l.d.Find(id("agent"))
			if len(c.Notices) == 0 {
				t.Fatal("the count is lost")
			}
			if pause {
				l.want("agent", docket.Standing, 1)
				if !c.OpenedAt.IsZero() || !c.FirstSeen.Equal(l.now) {
					t.Errorf("its age is another's: %+v", c)
				}
				l.open("agent")
			} else {
				l.want("agent", docket.Open, 1)
			}
			c = l.d.Find(id("agent"))
			if got := c.WarnedSince("ada@example.com", c.OpenedAt); got == pause || !pause && c.OpenedAt.After(opened) {
				t.Errorf("warned since it opened: %v; %+v", got, c)
			}
		})
	}
}

// What flickers within the time that it must stand keeps its count, and its end is on record.
func TestFlickerKeepsTheCount(t *testing.T) {
	l := begin(t)
	l.see(nil, bad("app"))
	l.open("app")
	l.warn("app", 1)
	for range 3 {
		wantKinds(t, l.see(nil, pass()), docket.EntryResolved)
		wantKinds(t, l.see(nil, bad("app")), docket.EntryReopened)
		l.want("app", docket.Standing, 1)
	}
}

func (l *life) gone() []docket.Entry {
	l.t.Helper()
	return l.see(func(o *v1.Observation) { o.State = v1.Gone })
}

func TestGoneResolves(t *testing.T) {
	l := begin(t)
	l.see(nil, bad("app", "other"))
	l.open("app")
	wantKinds(t, l.gone(), docket.EntryGone, docket.EntryResolved)
	l.want("app", docket.Resolved, 0)
	if len(l.d.Cases) != 1 || !l.d.GoneAt.Equal(l.now) || l.d.Live() {
		t.Errorf("%+v", l.d)
	}
	wantKinds(t, l.gone())
	l.see(nil, bad("app")) // it was never gone: a list that lied
	if l.want("app", docket.Standing, 0); !l.d.GoneAt.IsZero() {
		t.Error("seen alive, still gone")
	}
}

func (l *life) act(action string) {
	l.t.Helper()
	next, entries, err := docket.Intend(l.d, docket.Enforcement{ID: "e-1", Action: action, Target: root(), Cases: []string{id("app")}, IntentAt: l.now})
	if err != nil || len(entries) != 1 {
		l.t.Fatal(entries, err)
	}
	l.d = next
}

func TestGoneByOurOwnHandKeepsItsCases(t *testing.T) {
	l := begin(t)
	l.see(nil, bad("app"))
	l.open("app")
	l.act(docket.DeleteIngress)
	wantKinds(t, l.gone(), docket.EntryGone)
	l.want("app", docket.Open, 0)
	l.d, _ = docket.Did(l.d, "", "", l.now)
	l.want("app", docket.Acted, 0)
	wantKinds(t, l.gone())
	l.want("app", docket.Acted, 0)
	var err error
	if l.d, _, err = docket.BeginUndo(l.d, docket.Undo{By: "ada", At: l.now}); err != nil {
		t.Fatal(err)
	}
	l.d, _ = docket.Restored(l.d, "u-2", "", time.Hour, l.now)
	if !l.d.Holds("u-2") || !l.d.Holds("u-1") || !l.d.GoneAt.IsZero() {
		t.Errorf("restored: %+v", l.d)
	}
	wantKinds(t, l.gone(), docket.EntryGone, docket.EntryResolved) // now by another hand
}

// The owner deletes the ingress while we are about to: the gate refuses, and the case must
// not stay open for ever.
func TestGoneBeforeARefusalResolvesAtTheNextSighting(t *testing.T) {
	l := begin(t)
	l.see(nil, bad("app"))
	l.open("app")
	l.act(docket.DeleteIngress)
	l.gone()
	l.d, _ = docket.Refuse(l.d, docket.Refusal{Rule: 6, Name: "re-verify", At: l.now})
	l.gone()
	if l.want("app", docket.Resolved, 0); l.d.Live() {
		t.Error("still live")
	}
}

func TestScaledDeploymentThatIsDeletedResolves(t *testing.T) {
	l := begin(t)
	l.see(nil, bad("app"))
	l.open("app")
	l.act(docket.ScaleToZero)
	l.d, _ = docket.Did(l.d, "5", "", l.now)
	wantKinds(t, l.gone(), docket.EntryGone, docket.EntryResolved)
}

func TestGoneBeforeAnythingIsKnownNamesTheRoot(t *testing.T) {
	l := begin(t)
	l.gone()
	if l.d.Root != root() || l.d.Cluster != "prod" || l.d.Live() {
		t.Errorf("%+v", l.d)
	}
}

func dormant(o *v1.Observation) { o.Dormant = "scaled to zero" }

func TestPutBackIsContested(t *testing.T) {
	for _, test := range []struct {
		name     string
		undo     bool
		verdict  v1.Verdict
		want     docket.State
		lastSeen string
	}{
		{"still violating", false, bad("app"), docket.Contested, docket.EntryContested},
		{"clean is resolved", false, pass(), docket.Resolved, docket.EntryDormant},
		{"by our undo", true, bad("app"), docket.Acted, docket.EntryDormant},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := begin(t)
			l.see(nil, bad("app"))
			l.open("app")
			l.act(docket.ScaleToZero)
			l.d, _ = docket.Did(l.d, "5", "", l.now)
			wantKinds(t, l.see(dormant, bad("app")), docket.EntryDormant)
			l.want("app", docket.Acted, 0)
			if test.undo {
				l.d, _, _ = docket.BeginUndo(l.d, docket.Undo{By: "ada", At: l.now})
			}
			entries := l.see(nil, test.verdict)
			l.want("app", test.want, 0)
			if last := entries[len(entries)-1]; last.Kind != test.lastSeen {
				t.Errorf("last entry %+v, want %s", last, test.lastSeen)
			}
		})
	}
}

func TestDormancyOfAnyHandChangesNoCase(t *testing.T) {
	l := begin(t)
	l.see(nil, bad("app"))
	l.open("app")
	l.warn("app", 1)
	l.see(dormant, bad("app"))
	l.want("app", docket.Open, 1)
	wantKinds(t, l.see(nil, bad("app")), docket.EntryDormant)
	l.want("app", docket.Open, 1)
}

func TestCasesAreBounded(t *testing.T) {
	l := begin(t)
	var sources []string
	for i := range docket.MaxCases + 7 {
		sources = append(sources, fmt.Sprint("container-", i))
	}
	for range 2 {
		l.see(nil, bad(sources...))
		if len(l.d.Cases) != docket.MaxCases || l.d.Dropped != 7 {
			t.Fatalf("%d cases, %d dropped", len(l.d.Cases), l.d.Dropped)
		}
	}
	l.see(nil, bad("container-0"))
	if l.d.Dropped != 0 {
		t.Errorf("%d dropped, now that there is room", l.d.Dropped)
	}
}

// A tenant must not fill the docket with what is over to hide what comes.
func TestResolvedCasesMakeRoom(t *testing.T) {
	l := begin(t)
	for i := range docket.MaxCases + 20 {
		name := fmt.Sprint("container-", i)
		l.see(nil, bad(name))
		if i == 0 {
			l.open(name)
			l.warn(name, 1)
		}
		l.want(name, docket.Open, 1) // and the warnings go with it
	}
	if len(l.d.Cases) > docket.MaxCases || l.d.Dropped != 0 {
		t.Errorf("%d cases, %d dropped", len(l.d.Cases), l.d.Dropped)
	}
}

func TestBucketNeverChanges(t *testing.T) {
	for k, want := range map[docket.Key]int{
		{}: 862, {Cluster: "c", Root: "r"}: 239, key(): 128,
	} {
		if got := k.Bucket(); got != want {
			t.Errorf("%q falls into bucket %d, was %d: stored indexes and the bus's order depend on it", k, got, want)
		}
	}
}

// of is a verdict of another rule, with one violation.
func of(rule, severity, source string, from v1.From) v1.Verdict {
	return v1.Verdict{Rule: rule, Version: "1", Severity: severity, State: v1.Violated,
		Violations: []v1.Violation{{Type: rule, Source: source, Message: "bad", From: from}}}
}

// A tenant must not hide a grave finding behind 200 small ones, nor the template's behind
// its pods', whether they come first or together, and whatever the rules are called.
func TestTheGravestFindingsAreKept(t *testing.T) {
	for name, test := range map[string]struct {
		severity string  // of the decoys
		from     v1.From // of the decoys
		grave    v1.Verdict
		kept     bool
	}{
		"graver":                         {"high", v1.FromTemplate, of("PRIVILEGED", "critical", "app", v1.FromTemplate), true},
		"graver, of a pod":               {"high", v1.FromTemplate, of("PRIVILEGED", "critical", "app", v1.FromPod), true},
		"of the template":                {"high", v1.FromPod, of("PRIVILEGED", "high", "app", v1.FromTemplate), true},
		"equal does not push out":        {"high", v1.FromTemplate, of("PRIVILEGED", "high", "app", v1.FromTemplate), false},
		"slighter does not push out":     {"high", v1.FromPod, of("PRIVILEGED", "medium", "app", v1.FromTemplate), false},
		"the template's own, and graver": {"low", v1.FromPod, of("PRIVILEGED", "medium", "app", v1.FromTemplate), true},
	} {
		for _, together := range []bool{false, true} {
			t.Run(fmt.Sprint(name, " ", together), func(t *testing.T) {
				l := begin(t)
				decoys := many(0, docket.MaxCases)
				decoys.Severity = test.severity
				for i := range decoys.Violations {
					decoys.Violations[i].From = test.from
				}
				if !together {
					l.see(nil, decoys)
				}
				for range 2 { // and it stays so
					l.see(nil, decoys, test.grave)
					x := test.grave.Violations[0]
					kept := l.d.Find(docket.CaseID(key(), test.grave.Rule, x.Source, x.From)) != nil
					if kept != test.kept || len(l.d.Cases) != docket.MaxCases || l.d.Dropped != 1 {
						t.Fatalf("kept %v, %d cases, %d dropped", kept, len(l.d.Cases), l.d.Dropped)
					}
				}
			})
		}
	}
}

func many(from, to int) v1.Verdict {
	var sources []string
	for i := from; i < to; i++ {
		sources = append(sources, fmt.Sprint("container-", i))
	}
	return bad(sources...)
}

// Of equals, the one told of least gives way, then the newest; one with an open notice does not.
func TestWhoGivesWay(t *testing.T) {
	l := begin(t)
	l.see(nil, many(0, docket.MaxCases-1))
	for i := range docket.MaxCases - 2 {
		l.warn(fmt.Sprint("container-", i), 1)
	}
	l.see(nil, many(0, docket.MaxCases)) // the last two are told of nothing; the very last is newer
	grave := []v1.Verdict{many(0, docket.MaxCases)}
	for i, want := range []string{"container-199", "container-198"} {
		grave = append(grave, of(fmt.Sprint("GRAVE_", i), "critical", "app", v1.FromTemplate))
		entries := l.see(nil, grave...)
		if l.d.Find(id(want)) != nil || l.d.Dropped != i+1 || len(l.d.Cases) != docket.MaxCases {
			t.Errorf("%s was kept; %d dropped, %d cases", want, l.d.Dropped, len(l.d.Cases))
		}
		if wantKinds(t, entries, docket.EntryChanged, docket.EntrySeen); entries[0].Case != id(want) {
			t.Errorf("history says that %s gave way", entries[0].Case)
		}
	}
	l.d, _ = docket.AttachNotice(l.d, "open", map[string]docket.NoticeRef{id("container-0"): {Purpose: docket.Warning, N: 2}}, l.now)
	for i := range docket.MaxCases {
		grave = append(grave, of(fmt.Sprint("WORSE_", i), "critical", "app", v1.FromTemplate))
	}
	l.see(nil, grave...)
	if l.want("container-0", docket.Standing, 1); len(l.d.Cases) != docket.MaxCases {
		t.Errorf("%d cases", len(l.d.Cases))
	}
}

// The notice knows a case by the name that it had then; that must outlive the former case.
func TestInheritedWarningsNameTheirFormerCase(t *testing.T) {
	l := begin(t)
	l.see(nil, bad("container-0"))
	l.open("container-0")
	l.warn("container-0", 1)
	for i := range docket.MaxCases + 20 {
		l.see(nil, bad(fmt.Sprint("container-", i+1)))
	}
	last := l.d.Find(id(fmt.Sprint("container-", docket.MaxCases+20)))
	if l.d.Find(id("container-0")) != nil {
		t.Fatal("the first case is still there: this tests nothing")
	}
	if len(last.Notices) != 1 || last.Notices[0].Case != id("container-0") {
		t.Errorf("notices %+v, want one that names %s", last.Notices, id("container-0"))
	}
}

// It may be put back so fast that nobody ever saw it stopped, or saw that only while the
// act's outcome was open. What was judged before the watch saw our write must not count.
func TestPutBackIsContestedThoughNobodySawItStopped(t *testing.T) {
	for name, test := range map[string]struct {
		action  string
		intent  bool // seen stopped and started while it was an intent
		after   time.Duration
		verdict v1.Verdict
		want    docket.State
	}{
		"never seen stopped":               {docket.ScaleToZero, false, docket.ActSettles + 1, bad("app"), docket.Contested},
		"seen while it was an intent":      {docket.ScaleToZero, true, docket.ActSettles + 1, bad("app"), docket.Contested},
		"judged before our write":          {docket.ScaleToZero, false, docket.ActSettles, bad("app"), docket.Acted},
		"by a clock that is behind":        {docket.ScaleToZero, false, -time.Second, bad("app"), docket.Acted},
		"clean is resolved":                {docket.ScaleToZero, false, time.Hour, pass(), docket.Resolved},
		"an ingress cannot be put back so": {docket.DeleteIngress, false, time.Hour, bad("app"), docket.Acted},
	} {
		t.Run(name, func(t *testing.T) {
			l := begin(t)
			l.see(nil, bad("app"))
			l.open("app")
			l.act(test.action)
			if test.intent {
				l.see(dormant, bad("app"))
				l.see(nil, bad("app"))
			}
			l.want("app", docket.Open, 0)
			l.d, _ = docket.Did(l.d, "5", "", l.now)
			at := l.now.Add(test.after)
			l.see(func(o *v1.Observation) { o.At = at }, test.verdict)
			l.want("app", test.want, 0)
			if test.want == docket.Contested {
				wantKinds(t, l.see(nil, bad("app"))) // said once
				l.want("app", docket.Contested, 0)
			}
		})
	}
}

// What something put back at once is not in force, and never tried again while it lasts.
func TestWhatIsResetIsContested(t *testing.T) {
	l := begin(t)
	l.see(nil, bad("app"))
	l.open("app")
	d, _, err := docket.Intend(l.d, docket.Enforcement{ID: "e-1", Cases: []string{id("app")}})
	if err != nil {
		t.Fatal(err)
	}
	d, entries := docket.Contest(d, docket.Refusal{Rule: 7, Text: "a webhook reset it", At: l.now})
	l.d = d
	wantKinds(t, entries, docket.EntryContested)
	if l.d.Enforcement != nil || l.d.Refusal == nil || l.d.Refusal.Text != "a webhook reset it" {
		t.Errorf("%+v", l.d)
	}
	l.see(nil, bad("app"))
	l.want("app", docket.Contested, 0)
	if again, entries := docket.Contest(l.d, docket.Refusal{Text: "another"}); entries != nil || again.Refusal.Text != "a webhook reset it" {
		t.Errorf("without an intent: %+v", again.Refusal)
	}
	l.see(nil, pass())
	l.want("app", docket.Resolved, 0)
}

// What is refused for the same reason again and again is told once.
func TestTheSameRefusalIsToldOnce(t *testing.T) {
	l := begin(t)
	l.see(nil, bad("app"))
	l.open("app")
	var told []docket.Entry
	for i, text := range []string{"no permit", "no permit", "no permit", "frozen"} {
		d, entries, err := docket.Intend(l.d, docket.Enforcement{ID: fmt.Sprint("e-", i), Cases: []string{id("app")}})
		if err != nil {
			t.Fatal(err)
		}
		told = append(told, entries...)
		d, entries = docket.Refuse(d, docket.Refusal{Rule: 15, Text: text, At: l.now})
		told, l.d = append(told, entries...), d
	}
	wantKinds(t, told, docket.EntryIntent, docket.EntryRefused, docket.EntryRefused)
	if l.d.Refusal.Text != "frozen" || l.d.Enforcement != nil {
		t.Errorf("%+v", l.d)
	}
}
