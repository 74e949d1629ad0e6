package judge_test

import (
	"strings"
	"testing"

	"github.com/k8guard/k8guard/test/judge"
	"github.com/k8guard/k8guard/tools/controlplane/audit"
)

// doctored is one lie put into an honest world, and the words that must convict it.
type doctored struct {
	name string
	do   func(*world)
	want string
}

func convict(t *testing.T, all []doctored, judge func(*world) error) {
	t.Helper()
	if err := judge(honest(t)); err != nil {
		t.Fatalf("an honest world is found guilty: %v", err)
	}
	for _, x := range all {
		t.Run(x.name, func(t *testing.T) {
			w := honest(t)
			x.do(w)
			if err := judge(w); err == nil || !strings.Contains(err.Error(), x.want) {
				t.Errorf("got %v, want an error with %q", err, x.want)
			}
		})
	}
}

func TestAuditBijection(t *testing.T) {
	tally, err := judge.AuditBijection(honest(t).events, honest(t).dump, action)
	if err != nil || tally.Acts != 2 || tally.Undos != 2 || tally.Fences != 1 || len(tally.Refused) != 1 || len(tally.Unclear) != 0 {
		t.Errorf("an honest world: %+v, %v", tally, err)
	}
	add := func(e audit.Event) func(*world) { return func(w *world) { w.events = append(w.events, e) } }
	put := func(i int, e audit.Event) func(*world) { return func(w *world) { w.events[i] = e } }
	convict(t, []doctored{
		{"empty log", func(w *world) { w.events = nil }, "no event of"},
		{"another's log", func(w *world) { w.events = w.events[:1] }, "no event of"},
		{"an act without a record", func(w *world) { w.dump.Dockets = w.dump.Dockets[1:] }, "no recorded act or undo"},
		{"a record without an act", func(w *world) { w.events = append(w.events[:5:5], w.events[6:]...) }, "has no such write (act: true)"},
		{"a record without an undo", func(w *world) { w.events = w.events[:8] }, "has no such write (act: false)"},
		{"an undo in disguise", func(w *world) { w.dump.Dockets[1].Enforcement.State = "done" }, "no recorded act or undo"},
		{"an open outcome", func(w *world) { w.dump.Dockets[1].Enforcement.State = "intent" }, "still open"},
		{"a second act", add(scale("9", 0, 200)), "a second time"},
		{"another UID", put(7, event("delete", "ingresses", "", "in", 200, `{"preconditions":{"uid":"u-x","resourceVersion":"9"}}`)), "no recorded act or undo"},
		{"no preconditions", put(7, event("delete", "ingresses", "", "in", 200, `{}`)), "no recorded act or undo"},
		{"no resourceVersion", put(7, event("delete", "ingresses", "", "in", 200, `{"preconditions":{"uid":"u-in"}}`)), "no resourceVersion"},
		{"another resourceVersion", put(5, scale("6", 0, 200)), "recorded prior state has 7"},
		{"another subresource", put(5, event("patch", "deployments", "status", "web", 200,
			`{"metadata":{"uid":"u-web","resourceVersion":"7"},"spec":{"replicas":0}}`)), "no recorded act or undo"},
		{"another verb", put(7, event("deletecollection", "ingresses", "", "in", 200, `{"preconditions":{"uid":"u-in","resourceVersion":"9"}}`)), "no recorded act or undo"},
		{"another object", add(event("update", "deployments", "scale", "db", 200, `{"metadata":{"uid":"u-web","resourceVersion":"7"},"spec":{"replicas":0}}`)), "no recorded act or undo"},
		{"back to too many", put(6, scale("8", 4, 200)), "another number"},
		{"an unmarked restore", put(8, event("create", "ingresses", "", "in", 201, `{"metadata":{"name":"in"}}`)), "no recorded act or undo"},
		{"a secret read by a write", add(event("create", "secrets", "", "s", 201, `{}`)), "no recorded act or undo"},
		{"a lease of another", add(event("update", "leases", "", "k8guard-action", 200, `{}`)), "no recorded act or undo"},
		{"its own lease removed", func(w *world) { w.events[1].Verb = "delete"; w.events = append(w.events, w.events[0]) }, "no recorded act or undo"},
		{"a fence without a record", add(fence(200)), "no fence of e-0 is on record"},
		{"a patch of the spec", add(event("patch", "deployments", "", "web", 200, `{"spec":{"paused":true}}`)), "a patch that is no fence"},
		{"a fence with more", put(3, event("patch", "deployments", "", "web", 200,
			`{"metadata":{"annotations":{"k8guard.io/enforcement":"e-0/a","x":"y"},"resourceVersion":"6","uid":"u-web"}}`)), "a patch of more, or less"},
		{"a fence without UID", put(3, event("patch", "deployments", "", "web", 200,
			`{"metadata":{"annotations":{"k8guard.io/enforcement":"e-0/a"},"resourceVersion":"6","uid":""}}`)), "without UID"},
		{"an act that the docket forgot", func(w *world) { w.dump.History[2].Data["enforcement"] = "e-7" }, "does not know it"},
	}, func(w *world) error {
		_, err := judge.AuditBijection(w.events, w.dump, action)
		return err
	})
}

// A scale may be sent as a PUT or as a patch of the subresource.
func TestAScaleMayBeAPatch(t *testing.T) {
	w := honest(t)
	w.events[5] = event("patch", "deployments", "scale", "web", 200, `{"metadata":{"uid":"u-web","resourceVersion":"7"},"spec":{"replicas":0}}`)
	if tally, err := judge.AuditBijection(w.events, w.dump, action); err != nil || tally.Acts != 2 {
		t.Errorf("got %+v, %v", tally, err)
	}
}

func TestAnUnclearEndStandsForASettledRecordOnce(t *testing.T) {
	w := honest(t)
	w.events[7] = remove(504)
	tally, err := judge.AuditBijection(w.events, w.dump, action)
	if err != nil || tally.Acts != 2 || len(tally.Unclear) != 1 {
		t.Errorf("got %+v, %v", tally, err)
	}
	w.dump.Dockets = w.dump.Dockets[:1]
	w.events = w.events[:8]
	if _, err := judge.AuditBijection(w.events, w.dump, action); err == nil || !strings.Contains(err.Error(), "nothing in the ledger is about it") {
		t.Errorf("an unclear deletion that the ledger knows nothing of: %v", err)
	}
	w.dump.History = append(w.dump.History, settledAt(41, "fenced", "u-in"))
	if _, err := judge.AuditBijection(w.events, w.dump, action); err != nil {
		t.Errorf("an unclear attempt that the ledger settled as not done: %v", err)
	}
}

func TestOnce(t *testing.T) {
	convict(t, []doctored{
		{"empty log", func(w *world) { w.events = nil }, "no event of"},
		{"twice", func(w *world) { w.events = append(w.events, scale("12", 0, 200)) }, "second hard action on UID u-web"},
		{"zero by omission", func(w *world) {
			w.events = append(w.events, event("update", "deployments", "scale", "web", 200, `{"metadata":{"uid":"u-web"},"spec":{}}`))
		}, "second hard action on UID u-web"},
		{"zero by a patch", func(w *world) {
			w.events = append(w.events, event("patch", "deployments", "scale", "web", 200, `{"metadata":{"uid":"u-web"},"spec":{"replicas":0}}`))
		}, "second hard action on UID u-web"},
		{"deleted twice", func(w *world) { w.events = append(w.events, remove(200)) }, "second hard action on UID u-in"},
		{"no UID", func(w *world) { w.events = append(w.events, event("delete", "ingresses", "", "x", 200, `{}`)) }, "names no UID"},
		{"a second one of unclear end", func(w *world) { w.events = append(w.events, scale("12", 0, 504)) }, "second hard action on UID u-web"},
		{"a first one of unclear end", func(w *world) {
			w.events, w.dump.History = append(w.events, began(30, scale("6", 0, 504))), nil
		}, "second hard action on UID u-web"},
		{"settled elsewhere", func(w *world) {
			w.events = append(w.events, began(30, scale("6", 0, 504)))
			w.dump.History = []judge.Line{settledAt(35, "fenced", "u-in")}
		}, "second hard action on UID u-web"},
		{"settled too early", func(w *world) {
			w.events = append(w.events, began(38, scale("6", 0, 504)))
		}, "second hard action on UID u-web"},
	}, func(w *world) error { return judge.Once(w.events, w.dump, action) })
}

// An attempt of unclear end is no act of its own where it cannot have had an effect too.
func TestOneActMayBeSentTwice(t *testing.T) {
	for name, e := range map[string]audit.Event{
		"the same version, again": scale("7", 0, 504),
		"fenced before the act":   began(30, scale("6", 0, 504)),
	} {
		w := honest(t)
		w.events = append(w.events, e)
		if err := judge.Once(w.events, w.dump, action); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func began(second int, e audit.Event) audit.Event {
	e.Received = at(second)
	return e
}

func settledAt(second int, kind, root string) judge.Line {
	return judge.Line{Kind: kind, Root: root, At: at(second), Data: map[string]string{"enforcement": "e-0"}}
}

func TestDiscover(t *testing.T) {
	theirs := func(resource, namespace, name string) func(*world) {
		return func(w *world) {
			e := event("update", resource, "", name, 200, `{}`)
			e.User.Name, e.ObjectRef.Namespace = discover, namespace
			w.events = append(w.events, e)
		}
	}
	convict(t, []doctored{
		{"empty log", func(w *world) { w.events = nil }, "no event of"},
		{"another's lease", theirs("leases", "k8guard", "k8guard-action"), "discover's account wrote"},
		{"a lease elsewhere", theirs("leases", "shop", "k8guard-discover"), "discover's account wrote"},
		{"an object", theirs("deployments", "shop", "web"), "discover's account wrote"},
	}, func(w *world) error { return judge.Discover(w.events, discover) })
}
