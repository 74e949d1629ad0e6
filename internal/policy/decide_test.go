package policy_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/policy"
	"github.com/k8guard/k8guard/internal/rule"
)

func start() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

const ada = "ada@example.com"

// ready is an input whose decision is to act: everything allows it.
func ready() policy.Input {
	now := start()
	in := policy.Input{Category: rule.Security,
		Docket: docket.Docket{Key: docket.Key{Cluster: "c", Root: "r"}, Root: v1.Root{Kind: "Deployment", Namespace: "shop", Name: "web"}},
		Case: docket.Case{ID: "c-1", Rule: "IMAGE_REPO", Source: "app", From: v1.FromTemplate, Severity: "high", State: docket.Open,
			FirstSeen: now.Add(-100 * time.Hour), OpenedAt: now.Add(-99 * time.Hour)},
		Owner:   v1.Owner{Emails: []string{ada}, Platform: true, From: "Namespace shop"},
		Policy:  config.Policy{Name: "images", Enforce: true, Ladder: config.Ladder{Standing: time.Minute, Warnings: 3, Wait: 24 * time.Hour, LastWait: 12 * time.Hour}},
		Fresh:   true,
		Control: policy.Controls{Mode: config.ModeEnforce},
		MinAge:  24 * time.Hour,
		Now:     now,
	}
	for n := range 3 {
		in.Case.Notices = append(in.Case.Notices, docket.NoticeRef{Key: string(rune('a' + n)), Purpose: docket.Warning, N: n + 1,
			Owner: ada, Result: docket.Sent, At: now.Add(time.Duration(24*(n-2)-13) * time.Hour)})
	}
	in.Case.Notices[2].ActAt = now.Add(-time.Hour)
	return in
}

type want struct{ step, reason, next string }

type decision struct {
	name   string
	change func(*policy.Input)
	want   want
	in     time.Duration // of a wait, from now
}

func decisions() []decision {
	return []decision{
		{"everything allows it", func(*policy.Input) {}, want{policy.Act, policy.Due, ""}, 0},
		{"an ingress", func(in *policy.Input) { in.Docket.Root.Kind = "Ingress" }, want{policy.Act, policy.Due, ""}, 0},
		{"at the last wait's end", func(in *policy.Input) { in.Now = in.Now.Add(-time.Hour) }, want{policy.Act, policy.Due, ""}, 0},
		{"just before it", func(in *policy.Input) { in.Now = in.Now.Add(-time.Hour - 1) }, want{policy.Wait, policy.Waiting, docket.ScaleToZero}, 1},
		{"last wait is the wait by default", func(in *policy.Input) { in.Policy.Ladder.LastWait = 0 }, want{policy.Wait, policy.Waiting, docket.ScaleToZero}, 11 * time.Hour},
		{"below the minimum age", func(in *policy.Input) { in.Case.OpenedAt = in.Now.Add(-20 * time.Hour) }, want{policy.Wait, policy.Waiting, docket.ScaleToZero}, 4 * time.Hour},

		{"standing", func(in *policy.Input) { in.Case.State, in.Case.FirstSeen = docket.Standing, in.Now.Add(-time.Second) }, want{policy.Wait, policy.Standing, policy.Open}, 59 * time.Second},
		{"stood long enough", func(in *policy.Input) { in.Case.State = docket.Standing }, want{policy.Open, policy.Due, ""}, 0},

		{"first warning", func(in *policy.Input) { in.Case.Notices = nil }, want{policy.Notify, policy.Due, "warning"}, 0},
		{"second warning waits", func(in *policy.Input) {
			in.Case.Notices = in.Case.Notices[2:]
			in.Case.Notices[0].At = in.Now.Add(-time.Hour)
		}, want{policy.Wait, policy.Waiting, "warning 2 of 3"}, 23 * time.Hour},
		{"second warning is due", func(in *policy.Input) { in.Case.Notices = in.Case.Notices[:1] }, want{policy.Notify, policy.Due, "warning"}, 0},
		{"an unknown send waits like a confirmed one", func(in *policy.Input) {
			in.Case.Notices[2].Result, in.Case.Notices[2].At = docket.UnknownSend, in.Now.Add(-time.Hour)
		}, want{policy.Wait, policy.Waiting, "warning 3 of 3"}, 23 * time.Hour},
		{"what came back is warned of once more", func(in *policy.Input) { in.Case.OpenedAt = in.Now.Add(-12 * time.Hour) }, want{policy.Wait, policy.Waiting, "warning 3 of 3"}, 11 * time.Hour},
		{"and then at the wait's end", func(in *policy.Input) {
			in.Case.OpenedAt, in.Policy.Ladder.Wait = in.Now.Add(-12*time.Hour), 13*time.Hour
		}, want{policy.Notify, policy.Due, "warning"}, 0},
		{"an unclear outcome", func(in *policy.Input) {
			in.Docket.Enforcement = &docket.Enforcement{State: docket.Unclear, Settled: "nobody can tell"}
		}, want{policy.None, policy.HumanNeeded, ""}, 0},
		{"a new owner begins again", func(in *policy.Input) { in.Owner.Emails = []string{"bob@example.com"} }, want{policy.Wait, policy.Waiting, "warning 1 of 3"}, 11 * time.Hour},
		{"the cap over all owners", func(in *policy.Input) {
			in.Owner.Emails = []string{"bob@example.com"}
			in.Policy.Ladder.MaxTries = 3
		}, want{policy.None, policy.HumanNeeded, ""}, 0},
		{"the cap by default is two more", func(in *policy.Input) {
			for i := range in.Case.Notices {
				in.Case.Notices[i].Result = docket.UnknownSend
			}
			in.Case.Notices = append(in.Case.Notices, in.Case.Notices[:2]...)
		}, want{policy.None, policy.HumanNeeded, ""}, 0},
		{"the last warning named no act", unnamed, want{policy.Wait, policy.Waiting, "warning 3 of 3"}, 11 * time.Hour},
		{"and is due", func(in *policy.Input) { unnamed(in); in.Now = in.Now.Add(11 * time.Hour) }, want{policy.Notify, policy.Due, "warning"}, 0},
		{"an earlier one named it, the last did not", func(in *policy.Input) {
			unnamed(in)
			in.Case.Notices[1].ActAt = in.Now.Add(-time.Hour)
		}, want{policy.Wait, policy.Waiting, "warning 3 of 3"}, 11 * time.Hour},
		{"no act was named, and none follows", func(in *policy.Input) { unnamed(in); in.Control.Mode = config.ModeSafe }, want{policy.None, policy.SafeMode, ""}, 0},
		{"no act was named, and the cap is reached", func(in *policy.Input) {
			unnamed(in)
			in.Policy.Ladder.MaxTries, in.Now = 3, in.Now.Add(11*time.Hour)
		}, want{policy.Notify, policy.Due, "warning"}, 0},
		{"the one beyond the cap has no known end", func(in *policy.Input) {
			unnamed(in)
			in.Policy.Ladder.MaxTries, in.Now = 3, in.Now.Add(100*time.Hour)
			in.Case.Notices = append(in.Case.Notices, docket.NoticeRef{Key: "d", Purpose: docket.Warning, Owner: ada, Result: docket.UnknownSend, At: start(), ActAt: start()})
		}, want{policy.None, policy.HumanNeeded, ""}, 0},
		{"the last warning named a later date", func(in *policy.Input) { in.Case.Notices[2].ActAt = in.Now.Add(time.Hour) }, want{policy.Wait, policy.Waiting, docket.ScaleToZero}, time.Hour},
		{"a notice is on its way", func(in *policy.Input) { in.Case.Notices[2].Result = docket.Pending }, want{policy.None, policy.InFlight, ""}, 0},

		{"dry run", func(in *policy.Input) { in.Control.Mode = config.ModeDryRun }, want{policy.None, policy.DryRun, ""}, 0},
		{"exempt", func(in *policy.Input) {
			in.Exempt = &config.Exemption{Reason: "legacy", Expires: in.Now.Add(time.Hour)}
		}, want{policy.None, policy.Exempt, ""}, time.Hour},
		{"unknown", func(in *policy.Input) { in.Case.Unknown = "pods denied" }, want{policy.None, policy.Unknown, ""}, 0},
		{"stale", func(in *policy.Input) { in.Fresh = false }, want{policy.None, policy.Stale, ""}, 0},
		{"dormant", func(in *policy.Input) { in.Docket.Dormant = "scaled to zero" }, want{policy.None, policy.Dormant, ""}, 0},
		{"its enforcement is under way", func(in *policy.Input) { in.Docket.Enforcement = &docket.Enforcement{State: docket.Intent} }, want{policy.None, policy.ActUnderWay, ""}, 0},
		{"it has seen its enforcement", func(in *policy.Input) { in.Docket.Enforcement = &docket.Enforcement{State: docket.Undid} }, want{policy.None, policy.HumanNeeded, ""}, 0},
		{"mail does not arrive", func(in *policy.Input) {
			in.Case.Notices = nil
			for range 3 {
				in.Case.Notices = append(in.Case.Notices, docket.NoticeRef{Purpose: docket.Warning, Result: docket.FailedSend, Owner: in.Owner.Key(), At: in.Now.Add(-time.Minute)})
			}
		}, want{policy.Wait, policy.HumanNeeded, "warning"}, 24*time.Hour - time.Minute},
		{"nobody to tell", func(in *policy.Input) { in.Owner.Emails = nil }, want{policy.None, policy.HumanNeeded, ""}, 0},

		{"only a pod shows it", func(in *policy.Input) { in.Case.From = v1.FromPod }, want{policy.None, policy.NotifyOnly, ""}, 0},
		{"nobody says where it was seen", func(in *policy.Input) { in.Case.From = "" }, want{policy.None, policy.NotifyOnly, ""}, 0},
		{"a namespace", func(in *policy.Input) { in.Docket.Root.Kind = "Namespace" }, want{policy.None, policy.NotifyOnly, ""}, 0},
		{"a bare pod", func(in *policy.Input) { in.Docket.Root.Kind = "Pod" }, want{policy.None, policy.NotifyOnly, ""}, 0},
		{"a stateful set", func(in *policy.Input) { in.Docket.Root.Kind = "StatefulSet" }, want{policy.Act, policy.Due, ""}, 0},
		{"a daemon set", func(in *policy.Input) { in.Docket.Root.Kind = "DaemonSet" }, want{policy.None, policy.NotifyOnly, ""}, 0},
		{"safe mode", func(in *policy.Input) { in.Control.Mode = config.ModeSafe }, want{policy.None, policy.SafeMode, ""}, 0},
		{"no mode", func(in *policy.Input) { in.Control.Mode = "" }, want{policy.None, policy.SafeMode, ""}, 0},
		{"the policy warns", func(in *policy.Input) { in.Policy.Enforce = false }, want{policy.None, policy.WarnPolicy, ""}, 0},
		{"a rule of availability that the policy does not name", func(in *policy.Input) { in.Category = rule.Availability }, want{policy.None, policy.WarnPolicy, ""}, 0},
		{"and that it names", func(in *policy.Input) {
			in.Category, in.Policy.Match.Rules = rule.Availability, []string{"IMAGE_REPO"}
		}, want{policy.Act, policy.Due, ""}, 0},
		{"a rule that nobody knows", func(in *policy.Input) { in.Category = "" }, want{policy.None, policy.WarnPolicy, ""}, 0},
		{"an owner that a tenant named", func(in *policy.Input) { in.Owner.Platform = false; owned(in) }, want{policy.None, policy.HumanNeeded, ""}, 0},
		{"frozen", func(in *policy.Input) { in.Control.Frozen = "global by ada: incident" }, want{policy.None, policy.Frozen, ""}, 0},
		{"acknowledged", func(in *policy.Input) {
			in.Policy.Ladder.AckPauses = time.Hour
			in.Case.Ack = &docket.Ack{First: in.Now, Until: in.Now.Add(time.Minute)}
		}, want{policy.None, policy.Acked, ""}, time.Minute},
		{"ledger in doubt", func(in *policy.Input) { in.Control.Doubt = "restored" }, want{policy.None, policy.LedgerDoubt, ""}, 0},
		{"breaker", func(in *policy.Input) { in.Control.Breaker = "two undos" }, want{policy.None, policy.BreakerOpen, ""}, 0},
		{"the gate said no", func(in *policy.Input) { in.Docket.Refusal = &docket.Refusal{Rule: 8, Until: in.Now.Add(time.Minute)} }, want{policy.Wait, policy.Refused, docket.ScaleToZero}, time.Minute},
		{"only a person can change it", func(in *policy.Input) {
			in.Docket.Refusal = &docket.Refusal{Rule: 12, Human: true, Until: in.Now.Add(time.Minute)}
		}, want{policy.Wait, policy.HumanNeeded, docket.ScaleToZero}, time.Minute},
		{"a no by another budget", func(in *policy.Input) {
			in.Docket.Refusal, in.Budget = &docket.Refusal{Rule: 9, Budget: "1 an hour", Until: in.Now.Add(time.Hour)}, "2 an hour"
		}, want{policy.Act, policy.Due, ""}, 0},
		{"the no is over", func(in *policy.Input) { in.Docket.Refusal = &docket.Refusal{Rule: 8, Until: in.Now} }, want{policy.Act, policy.Due, ""}, 0},

		{"acted, not told", func(in *policy.Input) { in.Case.State = docket.Acted }, want{policy.Notify, policy.Due, "enforced"}, 0},
		{"acted, being told", func(in *policy.Input) { acted(in, docket.Enforced, docket.Pending) }, want{policy.None, policy.InFlight, ""}, 0},
		{"acted, told", func(in *policy.Input) { acted(in, docket.Enforced, docket.Sent) }, want{policy.None, policy.IsActed, ""}, 0},
		{"acted, perhaps told", func(in *policy.Input) { acted(in, docket.Enforced, docket.UnknownSend) }, want{policy.None, policy.IsActed, ""}, 0},
		{"acted, told in vain", func(in *policy.Input) { acted(in, docket.Enforced, docket.FailedSend) }, want{policy.Notify, policy.Due, "enforced"}, 0},
		{"acted, and another of its family told", func(in *policy.Input) {
			acted(in, docket.Enforced, docket.Sent)
			in.Case.Notices[len(in.Case.Notices)-1].Case = "c-other"
		}, want{policy.Notify, policy.Due, "enforced"}, 0},
		{"undone, not told", func(in *policy.Input) { undone(in); acted(in, docket.Enforced, docket.Sent) }, want{policy.Notify, policy.Due, "undone"}, 0},
		{"undone, being told", func(in *policy.Input) { undone(in); acted(in, docket.Undone, docket.Pending) }, want{policy.None, policy.InFlight, ""}, 0},
		{"cool-off", func(in *policy.Input) { undone(in); acted(in, docket.Undone, docket.Sent) }, want{policy.None, policy.CoolOff, ""}, time.Hour},
		{"undone, cooled off", func(in *policy.Input) {
			undone(in)
			acted(in, docket.Undone, docket.Sent)
			in.Docket.CoolOffUntil = in.Now
		}, want{policy.None, policy.IsUndone, ""}, 0},
		{"contested", func(in *policy.Input) { in.Case.State = docket.Contested }, want{policy.None, policy.IsContested, ""}, 0},
		{"contested, reset at once", func(in *policy.Input) {
			in.Case.State, in.Docket.Refusal = docket.Contested, &docket.Refusal{Rule: 7, Human: true, Text: "a webhook reset it"}
		}, want{policy.None, policy.IsContested, ""}, 0},
		{"resolved, not told", func(in *policy.Input) { in.Case.State = docket.Resolved }, want{policy.Notify, policy.Due, "resolved"}, 0},
		{"resolved, told", func(in *policy.Input) { in.Case.State, in.Case.ToldResolved = docket.Resolved, true }, want{policy.None, policy.IsResolved, ""}, 0},
		{"resolved before anybody was told", func(in *policy.Input) { in.Case.State, in.Case.Notices = docket.Resolved, nil }, want{policy.None, policy.IsResolved, ""}, 0},
		{"resolved in a dry run", func(in *policy.Input) { in.Case.State, in.Control.Mode = docket.Resolved, config.ModeDryRun }, want{policy.None, policy.IsResolved, ""}, 0},
	}
}

// unnamed makes the warnings such as said that no act follows.
func unnamed(in *policy.Input) { in.Case.Notices[2].ActAt = time.Time{} }

// What a mail may announce is what Decide comes to once the warnings are out, and nothing else.
func TestActsIsWhatDecideComesTo(t *testing.T) {
	for _, test := range decisions() {
		in := ready()
		test.change(&in)
		switch p := policy.Decide(in); {
		case policy.Acts(in) && (p.Reason == policy.SafeMode || p.Reason == policy.WarnPolicy || p.Reason == policy.NotifyOnly):
			t.Errorf("%s: announced, though %+v", test.name, p)
		case !policy.Acts(in) && (p.Step == policy.Act || p.Next == docket.ScaleToZero):
			t.Errorf("%s: not announced, though %+v", test.name, p)
		}
	}
}

// TestAPlanTellsNothingOfOthers: a plan is read by who may see its namespace only.
func TestAPlanTellsNothingOfOthers(t *testing.T) {
	in := ready()
	in.Control.Breaker = "the order fell back: Deployment payments/web"
	if p := policy.Decide(in); p.Reason != policy.BreakerOpen || strings.Contains(p.Text, "payments") {
		t.Errorf("%+v", p)
	}
}

// owned gives the case's notices to its present owner.
func owned(in *policy.Input) {
	for i := range in.Case.Notices {
		in.Case.Notices[i].Owner = in.Owner.Key()
	}
}

func TestDecide(t *testing.T) {
	reached := map[string]bool{}
	for _, test := range decisions() {
		reached[test.want.reason] = true
		t.Run(test.name, func(t *testing.T) {
			in := ready()
			test.change(&in)
			got := policy.Decide(in)
			if (want{got.Step, got.Reason, got.Next}) != test.want {
				t.Errorf("%+v, want %+v", got, test.want)
			}
			if test.in != 0 && !got.At.Equal(in.Now.Add(test.in)) {
				t.Errorf("at %s, want %s after now", got.At, test.in)
			}
			if again := policy.Decide(in); again != got {
				t.Errorf("the same input, then %+v", again)
			}
		})
	}
	for _, reason := range reasons() {
		if !reached[reason] {
			t.Errorf("no row reaches the reason %q", reason)
		}
	}
}

func TestFindTakesTheFirstThatMatches(t *testing.T) {
	in := ready()
	def := config.Policy{Name: "default"}
	with := func(name string, m config.Match) config.Policy { return config.Policy{Name: name, Match: m} }
	for _, test := range []struct {
		name     string
		policies []config.Policy
		want     string
	}{
		{"none", nil, "default"},
		{"the first wins", []config.Policy{with("one", config.Match{}), with("two", config.Match{})}, "one"},
		{"every list must match", []config.Policy{with("one", config.Match{Rules: []string{"IMAGE_REPO"}, Namespaces: []string{"pay"}}), with("two", config.Match{Rules: []string{"X", "IMAGE_REPO"}, Namespaces: []string{"shop"}, Kinds: []string{"Deployment"}, Severities: []string{"high"}})}, "two"},
		{"names are exact", []config.Policy{with("one", config.Match{Namespaces: []string{"sho", "shop-2", "SHOP", "*"}})}, "default"},
		{"kinds", []config.Policy{with("one", config.Match{Kinds: []string{"Ingress"}})}, "default"},
		{"severities", []config.Policy{with("one", config.Match{Severities: []string{"low"}})}, "default"},
	} {
		if got := policy.Find(test.policies, def, in.Docket, in.Case); got.Name != test.want {
			t.Errorf("%s: %s, want %s", test.name, got.Name, test.want)
		}
	}
}

func TestFindExemption(t *testing.T) {
	in := ready()
	later := in.Now.Add(time.Hour)
	for _, test := range []struct {
		name string
		x    config.Exemption
		want bool
	}{
		{"all", config.Exemption{Expires: later}, true},
		{"expired now", config.Exemption{Expires: in.Now}, false},
		{"no expiry", config.Exemption{}, false},
		{"this root", config.Exemption{Name: "web", Expires: later}, true},
		{"another root", config.Exemption{Name: "we", Expires: later}, false},
		{"this source", config.Exemption{Source: "app", Expires: later}, true},
		{"another source", config.Exemption{Source: "side", Expires: later}, false},
		{"another rule", config.Exemption{Match: config.Match{Rules: []string{"X"}}, Expires: later}, false},
	} {
		list := []config.Exemption{{Name: "nobody", Expires: later}, test.x}
		got := policy.FindExemption(list, in.Docket, in.Case, in.Now)
		if (got == &list[1]) != test.want || got != nil && !test.want {
			t.Errorf("%s: %+v, want it to cover the case: %v", test.name, got, test.want)
		}
	}
}

// reasons is the bounded list; the table reaches each, so that none is only a word.
func reasons() []string {
	return []string{policy.Standing, policy.Due, policy.Waiting, policy.InFlight, policy.Exempt, policy.Stale, policy.Unknown, policy.Dormant,
		policy.NotifyOnly, policy.SafeMode, policy.WarnPolicy, policy.DryRun, policy.HumanNeeded, policy.Frozen, policy.BreakerOpen, policy.LedgerDoubt, policy.Refused,
		policy.CoolOff, policy.IsActed, policy.IsUndone, policy.IsContested, policy.IsResolved, policy.ActUnderWay, policy.Acked}
}

func known(reason string) bool { return slices.Contains(reasons(), reason) }

// acted makes the case one that was acted on, with one more notice.
func acted(in *policy.Input, told docket.Purpose, how docket.Result) {
	in.Case.State = docket.Acted
	in.Case.Notices = append(in.Case.Notices, docket.NoticeRef{Key: "z", Purpose: told, Owner: ada, Result: how, At: in.Now})
}

func undone(in *policy.Input) {
	in.Docket.Enforcement = &docket.Enforcement{State: docket.Undid}
	in.Docket.CoolOffUntil = in.Now.Add(time.Hour)
}

// A dry run says what it holds back: that is what it is for.
func TestADryRunSaysWhatWouldFollow(t *testing.T) {
	for says, change := range map[string]func(*policy.Input){
		"otherwise scale-to-zero would be asked of the gate now":       func(*policy.Input) {},
		"otherwise ada@example.com would be warned now":                func(in *policy.Input) { in.Case.Notices = nil },
		"otherwise scale-to-zero would follow at 2026-03-01 16:00 UTC": func(in *policy.Input) { in.Case.OpenedAt = in.Now.Add(-20 * time.Hour) },
		`otherwise policy "images" warns only`:                         func(in *policy.Input) { in.Policy.Enforce = false },
		"otherwise cannot be judged: no limit is set":                  func(in *policy.Input) { in.Case.Unknown = "no limit is set" },
	} {
		in := ready()
		in.Control.Mode = config.ModeDryRun
		change(&in)
		if p := policy.Decide(in); p.Step != policy.None || p.Reason != policy.DryRun || !strings.HasSuffix(p.Text, says) {
			t.Errorf("%+v, want %q", p, says)
		}
	}
}

// What is exempt is so whatever else holds everything, and nothing follows of it.
func TestWhatIsExemptStaysSo(t *testing.T) {
	for says, change := range map[string]func(*policy.Input){
		"dry run: nobody is told; otherwise exempt until 2026-03-02 12:00 UTC: legacy": func(in *policy.Input) { in.Control.Mode = config.ModeDryRun },
		"restored; otherwise exempt until 2026-03-02 12:00 UTC: legacy": func(in *policy.Input) {
			in.Control.Mode, in.Control.Doubt = config.ModeDryRun, "restored"
		},
		"exempt until 2026-03-02 12:00 UTC: legacy": func(in *policy.Input) { in.Control.Frozen, in.Control.Breaker = "global", "undos" },
	} {
		in := ready()
		in.Exempt = &config.Exemption{Reason: "legacy", Expires: time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)}
		change(&in)
		want := docket.Plan{Step: policy.None, Reason: policy.Exempt, Text: says, At: in.Exempt.Expires}
		if p := policy.Decide(in); p != want {
			t.Errorf("%+v, want %+v", p, want)
		}
		if text := policy.Human(in, want); text != "" {
			t.Errorf("the platform is asked: %s", text)
		}
		in.Case.State = docket.Contested
		if p := policy.Decide(in); p.Reason == policy.Exempt {
			t.Errorf("of a case that is over: %+v", p)
		}
	}
}
