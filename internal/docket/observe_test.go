package docket_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/docket"
)

func start() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

func root() v1.Root { return v1.Root{Kind: "Deployment", Namespace: "shop", Name: "web", UID: "u-1"} }

func key() docket.Key { return docket.Key{Cluster: "cluster-uid", Root: "u-1"} }

// life is a docket as the ledger keeps it, and the observations that it sees.
type life struct {
	t   *testing.T
	d   docket.Docket
	now time.Time
	seq int64
}

func begin(t *testing.T) *life { return &life{t: t, d: docket.Docket{Key: key()}, now: start()} }

// see applies an observation a minute after the last and checks what holds for all.
func (l *life) see(change func(*v1.Observation), verdicts ...v1.Verdict) []docket.Entry {
	l.t.Helper()
	l.now = l.now.Add(time.Minute)
	l.seq++
	o := v1.Observation{V: v1.Version, Cluster: v1.Cluster{Name: "prod", UID: "cluster-uid"}, Root: root(), Order: v1.Order{Epoch: 1, Seq: l.seq},
		At: l.now, State: v1.Live, Created: start(), Owner: v1.Owner{Emails: []string{"ada@example.com"}, Platform: true}, Verdicts: verdicts,
		Hash: fmt.Sprint("hash-", l.seq)}
	if change != nil {
		change(&o)
	}
	before := text(l.t, l.d)
	next, entries, changed := docket.Observe(l.d, o)
	if text(l.t, l.d) != before {
		l.t.Errorf("Observe wrote into its argument:\nbefore %s\nafter  %s", before, text(l.t, l.d))
	}
	if !changed {
		l.t.Errorf("observation %d was dropped", l.seq)
	}
	next.Version++
	if again, more, changed := docket.Observe(next, o); changed || len(more) > 0 || text(l.t, again) != text(l.t, next) {
		l.t.Errorf("the same observation twice changed something: %v", more)
	}
	l.d = next
	return entries
}

func text(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// bad is a verdict of IMAGE_REPO with one violation for each source.
func bad(sources ...string) v1.Verdict {
	v := v1.Verdict{Rule: "IMAGE_REPO", Version: "1", Severity: "high", State: v1.Violated}
	for _, s := range sources {
		v.Violations = append(v.Violations, v1.Violation{Type: v.Rule, Source: s, Message: s + " is bad", Evidence: "evil/" + s + ":1", From: v1.FromTemplate})
	}
	return v
}

func pass() v1.Verdict {
	return v1.Verdict{Rule: "IMAGE_REPO", Version: "1", Severity: "high", State: v1.Pass}
}

func id(source string) string { return docket.CaseID(key(), "IMAGE_REPO", source, v1.FromTemplate) }

func (l *life) open(source string) {
	l.t.Helper()
	var entries []docket.Entry
	l.d, entries = docket.OpenCase(l.d, id(source), l.now)
	if len(entries) != 1 {
		l.t.Fatalf("case of %s did not open", source)
	}
}

// warn attaches and settles a warning.
func (l *life) warn(source string, n int) {
	l.t.Helper()
	l.tell(source, docket.Warning, n, docket.Sent)
}

func (l *life) tell(source string, p docket.Purpose, n int, r docket.Result) {
	l.t.Helper()
	notice := fmt.Sprintf("notice/%s/%s/%d/%s", source, p, n, l.now)
	l.d, _ = docket.AttachNotice(l.d, notice, map[string]docket.NoticeRef{id(source): {Purpose: p, N: n, Owner: "ada@example.com"}}, l.now)
	l.d, _ = docket.SettleNotice(l.d, notice, docket.Ending{Fate: docket.Fate{Result: r}}, l.now)
}

func (l *life) want(source string, state docket.State, confirmed int) {
	l.t.Helper()
	c := l.d.Find(id(source))
	if c == nil {
		l.t.Errorf("no case of %s", source)
		return
	}
	if got, _ := c.Count("ada@example.com"); c.State != state || got != confirmed {
		l.t.Errorf("case of %s: %s with %d warnings, want %s with %d", source, c.State, got, state, confirmed)
	}
}

func kinds(entries []docket.Entry) string {
	var all []string
	for _, e := range entries {
		all = append(all, e.Kind)
	}
	return fmt.Sprint(all)
}

func wantKinds(t *testing.T, entries []docket.Entry, want ...string) {
	t.Helper()
	if kinds(entries) != fmt.Sprint(want) {
		t.Errorf("entries %v, want %v", kinds(entries), want)
	}
}

func TestOldOrderIsDropped(t *testing.T) {
	l := begin(t)
	l.seq = 9
	l.see(nil, bad("app"))
	for _, order := range []v1.Order{{Epoch: 1, Seq: 10}, {Epoch: 1, Seq: 9}, {Epoch: 0, Seq: 99}} {
		got, entries, changed := docket.Observe(l.d, v1.Observation{Order: order, State: v1.Gone, At: l.now.Add(time.Hour)})
		if changed || len(entries) > 0 || text(t, got) != text(t, l.d) {
			t.Errorf("order %v after {1 10} changed something: %v", order, entries)
		}
	}
	if _, _, changed := docket.Observe(l.d, v1.Observation{Order: v1.Order{Epoch: 2, Seq: 0}, State: v1.Gone}); !changed {
		t.Error("a new leader's first observation was dropped")
	}
}

func TestAnotherTagIsTheSameCase(t *testing.T) {
	l := begin(t)
	wantKinds(t, l.see(nil, bad("app")), docket.EntrySeen)
	l.open("app")
	l.warn("app", 1)
	tagged := bad("app")
	tagged.Violations[0].Evidence = "evil/app:2"
	wantKinds(t, l.see(nil, tagged), docket.EntryChanged)
	wantKinds(t, l.see(nil, tagged))
	l.want("app", docket.Open, 1)
	if c := l.d.Find(id("app")); len(l.d.Cases) != 1 || c.Evidence != "evil/app:2" || !c.LastSeen.Equal(l.now) {
		t.Errorf("cases %+v", l.d.Cases)
	}
}

func TestRenameInheritsWarnings(t *testing.T) {
	l := begin(t)
	l.see(nil, bad("app"))
	l.open("app")
	l.warn("app", 1)
	l.warn("app", 2)
	opened := l.d.Find(id("app")).OpenedAt
	for i, name := range []string{"b", "c", "d"} { // again and again
		l.see(nil, bad(name))
		l.want(name, docket.Open, 2)
		if c := l.d.Find(id(name)); !c.OpenedAt.Equal(opened) {
			t.Errorf("rename %d: opened %s, want %s", i, c.OpenedAt, opened)
		}
	}
	if l.want("app", docket.Resolved, 2); !l.d.Find(id("app")).ToldResolved {
		t.Error("an all-clear would go out for a case that lives on under another name")
	}
	other := bad("x")
	other.Rule = "PRIVILEGED"
	l.see(nil, pass(), other)
	if c := l.d.Find(docket.CaseID(key(), "PRIVILEGED", "x", v1.FromTemplate)); c.State != docket.Standing || len(c.Notices) != 0 {
		t.Errorf("another rule inherited: %+v", c)
	}
}

// A decoy that was fixed long ago with few warnings must not be the one that is inherited.
func TestRenameInheritsFromTheCaseThatVanished(t *testing.T) {
	l := begin(t)
	l.see(nil, bad("decoy", "app"))
	l.open("decoy")
	l.open("app")
	l.warn("app", 1)
	l.warn("app", 2)
	l.see(nil, bad("app")) // the decoy is fixed
	l.see(nil, bad("renamed"))
	l.want("renamed", docket.Open, 2)

	l = begin(t)
	l.see(nil, bad("decoy", "app"))
	l.open("decoy")
	l.open("app")
	l.warn("app", 1)
	l.warn("app", 2)
	l.see(nil, bad("renamed")) // both vanish at once: the stricter count
	l.want("renamed", docket.Open, 2)
}

func TestNoInheritanceAfterTheWindow(t *testing.T) {
	l := begin(t)
	l.see(nil, bad("app"))
	l.open("app")
	l.warn("app", 1)
	l.see(nil, pass())
	l.now = l.now.Add(docket.ReopenWindow)
	l.see(nil, bad("later"))
	l.want("later", docket.Standing, 0)
}

func TestPartialLookNeverResolves(t *testing.T) {
	partial := bad("other")
	partial.Reason = "the live pods could not be read"
	for name, v := range map[string]v1.Verdict{
		"unknown":               {Rule: "IMAGE_REPO", State: v1.Unknown, Reason: "pods denied"},
		"unknown, no reason":    {Rule: "IMAGE_REPO", State: v1.Unknown},
		"violated in part":      partial,
		"passed what it saw of": {Rule: "IMAGE_REPO", State: v1.Pass, Reason: "half of it"},
	} {
		t.Run(name, func(t *testing.T) {
			l := begin(t)
			l.see(nil, bad("app"))
			l.open("app")
			entries := l.see(nil, v)
			l.want("app", docket.Open, 0)
			if c := l.d.Find(id("app")); c.Unknown == "" || entries[0].Kind != docket.EntryUnknown {
				t.Errorf("nothing says that it is unknown: %+v, %v", c, entries)
			}
			if more := l.see(nil, v); len(more) != 0 {
				t.Errorf("said twice: %v", more)
			}
			l.see(nil, bad("app"))
			if c := l.d.Find(id("app")); c.Unknown != "" {
				t.Errorf("judged again, still unknown: %q", c.Unknown)
			}
		})
	}
}

func TestPodCasesWaitWhileDormant(t *testing.T) {
	pod := bad("sidecar")
	pod.Violations[0].From = v1.FromPod
	podID := docket.CaseID(key(), "IMAGE_REPO", "sidecar", v1.FromPod)
	for name, verdicts := range map[string][]v1.Verdict{"the rule passes the template": {pass()}, "only pods have the rule": nil} {
		l := begin(t)
		l.see(nil, pod)
		l.d, _ = docket.OpenCase(l.d, podID, l.now)
		l.see(func(o *v1.Observation) { o.Dormant = "scaled to zero" }, verdicts...)
		if c := l.d.Find(podID); c == nil || c.State != docket.Open {
			t.Errorf("%s: stopping the pods resolved their case: %+v", name, c)
		}
		// Between two runs of a CronJob nobody looked at a pod: that is no all-clear.
		l.see(func(o *v1.Observation) { o.NoPods = true }, verdicts...)
		if c := l.d.Find(podID); c == nil || c.State != docket.Open {
			t.Errorf("%s: no pod to look at resolved its case: %+v", name, c)
		}
		l.see(nil, pass())
		if c := l.d.Find(podID); c.State != docket.Resolved {
			t.Errorf("%s: clean pods, still %s", name, c.State)
		}
	}
}

func TestStandingFindingThatVanishesLeavesNothing(t *testing.T) {
	l := begin(t)
	l.see(nil, bad("app"))
	if entries := l.see(nil, pass()); len(entries) != 0 || len(l.d.Cases) != 0 || l.d.Live() {
		t.Errorf("entries %v, cases %+v", entries, l.d.Cases)
	}
}

func TestRuleThatNoLongerAppliesResolves(t *testing.T) {
	l := begin(t)
	l.see(nil, bad("app"))
	l.open("app")
	wantKinds(t, l.see(nil), docket.EntryResolved)
	l.want("app", docket.Resolved, 0)
}

func TestOwnerChange(t *testing.T) {
	l := begin(t)
	l.see(nil, bad("app"))
	entries := l.see(func(o *v1.Observation) { o.Owner.Emails = []string{"bob@example.com"} }, bad("app"))
	wantKinds(t, entries, docket.EntryOwner)
	if l.d.Owner.Key() != "bob@example.com" {
		t.Errorf("owner %+v", l.d.Owner)
	}
}
