package policy_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/policy"
)

// some draws one of the values; the first ones most often.
func some[T any](rt *rapid.T, name string, values ...T) T {
	return rapid.SampledFrom(append(values, values[0], values[0])).Draw(rt, name)
}

func hours(rt *rapid.T, name string, from, to int) time.Duration {
	return time.Duration(rapid.IntRange(from, to).Draw(rt, name)) * time.Hour
}

// input draws anything that Decide may meet.
func input(rt *rapid.T) policy.Input {
	in := ready()
	in.Docket.Root.Kind = some(rt, "kind", "Deployment", "Ingress", "Namespace", "Pod", "DaemonSet")
	in.Docket.Dormant = some(rt, "dormant", "", "scaled to zero")
	in.Docket.CoolOffUntil = in.Now.Add(hours(rt, "cool-off", -2, 2))
	if rapid.IntRange(0, 4).Draw(rt, "enforcement") == 0 {
		in.Docket.Enforcement = &docket.Enforcement{State: some(rt, "act", docket.Intent, docket.Done, docket.Undoing, docket.Undid)}
	}
	if rapid.IntRange(0, 4).Draw(rt, "refusal") == 0 {
		in.Docket.Refusal = &docket.Refusal{Human: rapid.Bool().Draw(rt, "human"), Until: in.Now.Add(hours(rt, "until", -1, 1))}
	}
	in.Case.State = some(rt, "state", docket.Open, docket.Standing, docket.Acted, docket.Contested, docket.Resolved)
	in.Case.From = some(rt, "from", v1.FromTemplate, v1.FromPod, "")
	in.Case.Unknown = some(rt, "unknown", "", "denied")
	in.Case.FirstSeen = in.Now.Add(-hours(rt, "seen", 0, 200))
	in.Case.OpenedAt = in.Case.FirstSeen.Add(hours(rt, "opened", 0, 3))
	in.Case.ToldResolved = rapid.Bool().Draw(rt, "told resolved")
	in.Case.Notices = nil
	for n := range rapid.IntRange(0, 7).Draw(rt, "notices") {
		in.Case.Notices = append(in.Case.Notices, docket.NoticeRef{Key: fmt.Sprint(n), N: n + 1,
			Purpose: some(rt, "purpose", docket.Warning, docket.Warning, docket.Enforced, docket.Undone, docket.AllClear),
			Owner:   some(rt, "told", ada, "bob@example.com"),
			Result:  some(rt, "result", docket.Sent, docket.Sent, docket.Sent, docket.UnknownSend, docket.Pending),
			At:      in.Now.Add(-hours(rt, "at", 0, 100)),
			ActAt:   some(rt, "act at", in.Now.Add(-time.Hour), in.Now.Add(time.Hour), time.Time{})})
	}
	in.Owner.Emails = some(rt, "owner", []string{ada}, []string{"bob@example.com"}, nil, []string{ada, "bob@example.com"})
	in.Owner.Platform = some(rt, "platform", true, false)
	in.Policy.Enforce = some(rt, "enforce", true, false)
	in.Policy.Ladder.Warnings = rapid.IntRange(1, 4).Draw(rt, "warnings")
	in.Policy.Ladder.MaxTries = some(rt, "max", 0, 2, 5)
	in.Policy.Ladder.LastWait = hours(rt, "last wait", 0, 30)
	in.MinAge = hours(rt, "minimum age", 1, 48)
	in.Policy.Ladder.AckPauses = some(rt, "ack pauses", 0, 0, 10*time.Hour)
	if rapid.IntRange(0, 3).Draw(rt, "acknowledged") == 0 {
		in.Case.Ack = &docket.Ack{First: in.Now.Add(-hours(rt, "first ack", 0, 20)), Until: in.Now.Add(hours(rt, "ack until", -2, 20))}
	}
	in.Fresh = some(rt, "fresh", true, false)
	if rapid.IntRange(0, 4).Draw(rt, "exempt") == 0 {
		in.Exempt = &config.Exemption{Expires: in.Now.Add(time.Hour)}
	}
	in.Control = policy.Controls{Mode: some(rt, "mode", config.ModeEnforce, config.ModeSafe, config.ModeDryRun, ""),
		Frozen: some(rt, "frozen", "", "global"), Breaker: some(rt, "breaker", "", "undos"),
		Doubt: some(rt, "doubt", "", "", "restored")}
	return in
}

// mayAct is what safety asks, written down apart from the code.
func mayAct(in policy.Input) error {
	confirmed, newest := 0, time.Time{}
	var last docket.NoticeRef
	for _, n := range in.Case.Notices {
		if n.Purpose == docket.Warning && n.Result == docket.Sent && n.Owner == in.Owner.Key() {
			confirmed++
			if !n.At.Before(last.At) {
				last = n
			}
		}
		if n.Result == docket.Pending {
			return fmt.Errorf("notice %s has no outcome", n.Key)
		}
		if n.Purpose == docket.Warning && n.At.After(newest) {
			newest = n.At
		}
	}
	wait := in.Policy.Ladder.LastWait
	if wait == 0 {
		wait = in.Policy.Ladder.Wait
	}
	for what, wrong := range map[string]bool{
		"too few confirmed warnings":       confirmed < in.Policy.Ladder.Warnings,
		"not an open case":                 in.Case.State != docket.Open,
		"exempt":                           in.Exempt != nil,
		"stale":                            !in.Fresh,
		"unknown":                          in.Case.Unknown != "",
		"dormant":                          in.Docket.Dormant != "",
		"not in the template":              in.Case.From != v1.FromTemplate,
		"a kind that is never acted on":    in.Docket.Root.Kind != "Deployment" && in.Docket.Root.Kind != "Ingress",
		"frozen":                           in.Control.Frozen != "",
		"breaker open":                     in.Control.Breaker != "",
		"the ledger is in doubt":           in.Control.Doubt != "",
		"enforcement is off":               in.Control.Mode != config.ModeEnforce,
		"the policy warns only":            !in.Policy.Enforce,
		"the owner is not the platform's":  !in.Owner.Platform || len(in.Owner.Emails) == 0,
		"the root has had its enforcement": in.Docket.Enforcement != nil,
		"the gate said no":                 in.Docket.Refusal != nil && in.Now.Before(in.Docket.Refusal.Until),
		"too soon after the last warning":  in.Now.Sub(newest) < wait,
		"warned in a former life only":     last.At.Before(in.Case.OpenedAt),
		"the last warning named no act":    last.ActAt.IsZero(),
		"the date named has not come":      in.Now.Before(last.ActAt),
		"a person asked for a pause":       !policy.Paused(in.Case, in.Policy.Ladder, in.Now).IsZero(),
		"too young":                        in.Now.Sub(in.Case.OpenedAt) < in.MinAge,
	} {
		if wrong {
			return fmt.Errorf("%s", what)
		}
	}
	return nil
}

func TestNeverActsWithoutEveryReason(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		in := input(rt)
		got := policy.Decide(in)
		if !known(got.Reason) {
			rt.Fatalf("reason %q is not in the list", got.Reason)
		}
		err := mayAct(in)
		if got.Step == policy.Act && err != nil {
			rt.Fatalf("acts, but: %v", err)
		}
		if got.Step != policy.Act && err == nil {
			rt.Fatalf("everything allows it, but %+v", got)
		}
		if got.Step == policy.Wait && !got.At.After(in.Now) {
			rt.Fatalf("waits for the past: %+v", got)
		}
	})
}

// From an input that allows the act, one wrong thing at a time, and any others.
func TestOneReasonIsEnoughNotToAct(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		in, drawn := ready(), input(rt)
		if got := policy.Decide(in); got.Step != policy.Act {
			rt.Fatalf("the test begins with %+v", got)
		}
		for i, take := range []func(){
			func() { in.Docket = drawn.Docket }, func() { in.Case = drawn.Case }, func() { in.Owner = drawn.Owner },
			func() { in.Policy = drawn.Policy }, func() { in.Exempt = drawn.Exempt }, func() { in.Fresh = drawn.Fresh },
			func() { in.Control = drawn.Control }, func() { in.MinAge = drawn.MinAge },
		} {
			if rapid.IntRange(0, 3).Draw(rt, fmt.Sprint("take ", i)) == 0 {
				take()
			}
		}
		if got, err := policy.Decide(in), mayAct(in); (got.Step == policy.Act) != (err == nil) {
			rt.Fatalf("%+v, but: %v", got, err)
		}
	})
}

func TestNeverTellsBeyondTheCap(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		in := input(rt)
		got := policy.Decide(in)
		if human := policy.Human(in, got); human != "" && in.Control.Doubt != "" {
			rt.Fatalf("asks the platform while the ledger is in doubt: %s", human)
		}
		if got.Step != policy.Notify {
			return
		}
		if in.Control.Mode == config.ModeDryRun || in.Control.Doubt != "" || len(in.Owner.Emails) == 0 {
			rt.Fatalf("tells %q in mode %q: %+v", in.Owner.Key(), in.Control.Mode, got)
		}
		if got.Next != string(docket.Warning) {
			for _, n := range in.Case.Notices {
				if got.Next == string(docket.AllClear) && in.Case.Owes(in.Owner.Key()) && !in.Case.Telling() {
					continue // warned again since
				}
				if string(n.Purpose) == got.Next {
					rt.Fatalf("tells %s twice", got.Next)
				}
			}
			return
		}
		limit, tries, newest := in.Policy.Ladder.MaxTries, 0, time.Time{}
		if limit == 0 {
			limit = in.Policy.Ladder.Warnings + 2
		}
		named := false
		for _, n := range in.Case.Notices {
			if n.Purpose == docket.Warning {
				tries++
				named = named || !n.ActAt.IsZero()
				if n.At.After(newest) {
					newest = n.At
				}
			}
		}
		if confirmed, _ := in.Case.Count(in.Owner.Key()); confirmed >= in.Policy.Ladder.Warnings && policy.Acts(in) && !named {
			limit++ // the one that names the act
		}
		if tries >= limit || in.Now.Sub(newest) < in.Policy.Ladder.Wait || in.Exempt != nil || !in.Fresh || in.Case.Unknown != "" || in.Docket.Dormant != "" {
			rt.Fatalf("warns after %d tries of %d, the last at %s: %+v", tries, limit, newest, got)
		}
	})
}

// A whole life: whatever becomes of each warning, the ladder ends in an act after enough
// confirmed ones of which the last named it, or with a person after the cap; never later, and
// never with more notices than one beyond it. Enforcement may be switched on in between.
func TestLadderEnds(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		in := ready()
		in.Case.Notices, in.Case.OpenedAt = nil, in.Now
		in.Policy.Ladder.Warnings = rapid.IntRange(1, 5).Draw(rt, "warnings")
		in.Control.Mode = some(rt, "mode", config.ModeEnforce, config.ModeSafe)
		limit, confirmed := policy.MaxTries(in.Policy.Ladder), 0
		for range 100 {
			switch got := policy.Decide(in); got.Step {
			case policy.Act:
				last := in.Case.Notices[len(in.Case.Notices)-1]
				if confirmed < in.Policy.Ladder.Warnings || last.ActAt.IsZero() || in.Now.Before(last.ActAt) {
					rt.Fatalf("acts after %d confirmed, the last %+v", confirmed, last)
				}
				return
			case policy.Notify:
				result := some(rt, "result", docket.Sent, docket.UnknownSend)
				if result == docket.Sent {
					confirmed++
				}
				ref := docket.NoticeRef{Purpose: docket.Warning, Owner: ada, Result: result, At: in.Now}
				if before, _ := in.Case.Count(ada); policy.Acts(in) && before+1 >= in.Policy.Ladder.Warnings {
					ref.ActAt = in.Now.Add(policy.LastWait(in.Policy.Ladder))
				}
				in.Case.Notices = append(in.Case.Notices, ref)
				if rapid.IntRange(0, 2).Draw(rt, "switched on") == 0 {
					in.Control.Mode = config.ModeEnforce
				}
			case policy.Wait:
				in.Now = got.At
			case policy.None:
				if got.Reason == policy.SafeMode {
					in.Control.Mode = config.ModeEnforce
					continue
				}
				named := in.Case.ActAt(ada, in.Case.OpenedAt)
				if n := len(in.Case.Notices); got.Reason != policy.HumanNeeded || n < limit || n > limit+1 || confirmed >= in.Policy.Ladder.Warnings && !named.IsZero() {
					rt.Fatalf("stops after %d of %d: %+v", len(in.Case.Notices), limit, got)
				}
				return
			}
		}
		rt.Fatalf("the ladder has no end")
	})
}
