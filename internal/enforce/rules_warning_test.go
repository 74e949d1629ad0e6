package enforce

import (
	"cmp"
	"slices"
	"testing"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/docket"
)

func rows04() []row {
	rows := []row{
		{name: "not opened", change: eachCase(func(c *docket.Case) { c.OpenedAt = time.Time{} }), says: []string{"not open"}},
		{name: "first sight unknown", change: eachCase(func(c *docket.Case) { c.FirstSeen = time.Time{} }), says: []string{"first seen", "not on record"}},
		{name: "stood too short", change: eachCase(func(c *docket.Case) { c.FirstSeen = c.OpenedAt.Add(-59 * time.Second) }),
			says: []string{"stood 59s", "less than 1m0s"}},
		{name: "opened before it was seen", change: eachCase(func(c *docket.Case) { c.FirstSeen = c.OpenedAt.Add(time.Hour) }), says: []string{"stood -1h0m0s"}},
		{name: "too young", change: func(f *Facts) { f.Config.MinimumAge = 80 * time.Hour },
			says: []string{"79h0m0s old", "less than enforce.minimumAge 80h0m0s"}},
		{name: "opened in the future", change: eachCase(func(c *docket.Case) { c.OpenedAt = today().Add(time.Hour) }), says: []string{"-1h0m0s old"}, also: []int{5}},
		{name: "no minimum age", change: func(f *Facts) { f.Config.MinimumAge = 0 }, says: []string{"enforce.minimumAge", "not above zero"}},
		{name: "no wait", change: func(f *Facts) { f.Policy.Ladder.Wait, f.Policy.Ladder.LastWait = 0, 0 }, says: []string{`wait of policy "shops"`}},
		{name: "the date has not come", change: func(f *Facts) { f.Policy.Ladder.LastWait = 26 * time.Hour },
			says: []string{"last warning went out 25h0m0s ago", "less than 26h0m0s"}},
		{name: "the date has not come, by wait", change: func(f *Facts) { f.Policy.Ladder.Wait, f.Policy.Ladder.LastWait = 26*time.Hour, 0 },
			says: []string{"less than 26h0m0s"}},
		{name: "a try that failed counts as the last", change: eachCase(func(c *docket.Case) {
			c.Notices = append(c.Notices, docket.NoticeRef{Key: "x", Purpose: docket.Warning, Result: docket.UnknownSend, At: today().Add(-time.Hour)})
		}), says: []string{"1h0m0s ago"}},
		{name: "no warning on the case", change: eachCase(func(c *docket.Case) { c.Notices = nil }),
			says: []string{"no warning is on record"}, also: []int{5}},
		{name: "another notice after the last warning", change: eachCase(func(c *docket.Case) {
			c.Notices = append(c.Notices, docket.NoticeRef{Key: "x", Purpose: docket.NeedsHuman, Result: docket.Sent, At: today()})
		})},
		{name: "acknowledged", change: func(f *Facts) {
			f.Policy.Ladder.AckPauses = 48 * time.Hour
			eachCase(func(c *docket.Case) {
				c.Ack = &docket.Ack{By: "ada", First: today().Add(-time.Hour), Until: today().Add(time.Hour)}
			})(f)
		}, says: []string{"acknowledged by ada", "paused until"}},
		{name: "acknowledged, and the policy allows no pause", change: eachCase(func(c *docket.Case) {
			c.Ack = &docket.Ack{By: "ada", First: today().Add(-time.Hour), Until: today().Add(time.Hour)}
		})},
		{name: "just old enough", change: func(f *Facts) {
			f.Config.MinimumAge, f.Policy.Ladder.LastWait, f.Policy.Ladder.Standing = 79*time.Hour, 25*time.Hour, time.Hour
		}},
	}
	for _, s := range []docket.State{docket.Standing, docket.Acted, docket.Contested, docket.Resolved, ""} {
		rows = append(rows, row{name: "state " + string(s), change: eachCase(func(c *docket.Case) { c.State = s }),
			says: []string{"case c-1 is " + string(s) + ", not open"}})
	}
	return rows
}

func TestGate04MarkWaitAct(t *testing.T) { prove(t, 4, "mark-wait-act", rows04()) }

func ownedNow(o v1.Owner) func(*Facts) { return func(f *Facts) { f.Owner.Owner = o } }

// renamed makes the case the heir of one that the first n warnings were about.
func renamed(n int, change func(*docket.Case)) func(*Facts) {
	return func(f *Facts) {
		former := docket.Case{ID: "c-0", Rule: "IMAGE_REPO", From: v1.FromTemplate, State: docket.Resolved, Heir: "c-1"}
		change(&former)
		f.Docket.Cases = append(f.Docket.Cases, former)
		for i := range f.Notices[:n] {
			f.Notices[i].Numbers = map[string]int{"c-0": i + 1}
		}
	}
}

func rows05() []row {
	short := []string{"case c-1: 2 of 3 warnings confirmed for shop@example.com"}
	return []row{
		{name: "all warnings are from before it was resolved and came back", change: eachCase(func(c *docket.Case) {
			for i := range c.Notices {
				c.Notices[i].At = c.OpenedAt.Add(-time.Minute)
			}
		}), says: []string{"case c-1: no warning was confirmed since it opened"}},
		{name: "the last warning said that no act follows", change: lastNotice(func(n *Told) { n.ActAt = nil }),
			says: []string{"case c-1: the last confirmed warning named no act"}},
		{name: "it named the act on another case only", change: lastNotice(func(n *Told) { n.ActAt = map[string]time.Time{"c-7": today().Add(-time.Hour)} }),
			says: []string{"named no act"}},
		{name: "an earlier warning named the act, the last did not", change: func(f *Facts) { f.Notices[1].ActAt, f.Notices[2].ActAt = f.Notices[2].ActAt, nil },
			says: []string{"named no act"}},
		{name: "the last warning named a later date", change: lastNotice(func(n *Told) { n.ActAt = map[string]time.Time{"c-1": today().Add(time.Minute)} }),
			says: []string{"named 2026-03-10T12:01:00Z for the act"}},
		{name: "the date that it named is now", change: lastNotice(func(n *Told) { n.ActAt = map[string]time.Time{"c-1": today()} })},
		{name: "the notices are read in another order", change: func(f *Facts) { slices.Reverse(f.Notices) }},
		{name: "namespace unread", change: func(f *Facts) { f.Owner.Err = errTest() }, says: []string{"owner cannot be read", "connection refused"}},
		{name: "not named by the platform", change: ownedNow(v1.Owner{Emails: []string{"all@example.com"}}),
			says: []string{`"fallback/all@example.com" do not count`, "name one on the Namespace object"}, human: true},
		{name: "no owner", change: ownedNow(v1.Owner{Platform: true}), says: []string{"names no owner"}, human: true},
		{name: "no warning asked for", change: func(f *Facts) { f.Policy.Ladder.Warnings = 0 },
			says: []string{`policy "shops" asks for no warning`, "write ladder.warnings"}, human: true},
		{name: "no case", change: func(f *Facts) { f.Cases = nil }, says: []string{"no case asks for it"}, also: []int{16}},
		{name: "one more needed", change: func(f *Facts) { f.Policy.Ladder.Warnings = 4 }, says: []string{"3 of 4"}},
		{name: "a send with unknown outcome", change: lastNotice(func(n *Told) { n.Confirmed = false }), says: short},
		{name: "sent to the fallback", change: lastNotice(func(n *Told) { n.Platform = false }), says: short},
		{name: "sent to a former owner", change: lastNotice(func(n *Told) { n.Owner = "former@example.com" }), says: short},
		{name: "the owner changed since", change: ownedNow(v1.Owner{Emails: []string{"new@example.com"}, Platform: true}),
			says: []string{"0 of 3 warnings confirmed for new@example.com"}},
		{name: "a notice without the case", change: lastNotice(func(n *Told) { n.Numbers = map[string]int{"c-7": 3} }), says: short},
		{name: "confirmed for another case of the notice", change: lastNotice(func(n *Told) { n.Unheard = []string{"c-1"} }), says: short},
		{name: "confirmed, and not for another case", change: lastNotice(func(n *Told) { n.Unheard = []string{"c-7"} })},
		{name: "a notice that was no warning", change: lastNotice(func(n *Told) { n.Numbers = nil }), says: short},
		{name: "a tie that is no warning", change: eachCase(func(c *docket.Case) {
			c.Notices[2].Purpose = docket.Enforced
		}), says: short},
		{name: "a notice from before the ladder began anew", change: eachCase(func(c *docket.Case) {
			c.Notices = c.Notices[1:]
		}), says: short},
		{name: "one warning over two channels", change: lastNotice(func(n *Told) { n.Numbers = map[string]int{"c-1": 2} }), says: short},
		{name: "one notice listed twice", change: lastNotice(func(n *Told) { n.Key, n.Numbers = "notice/email/shop@example.com/2", map[string]int{"c-1": 2} }), says: short},
		{name: "no notice in the ledger", change: func(f *Facts) { f.Notices = nil }, says: []string{"0 of 3"}},
		{name: "a second case without its own warnings", change: func(f *Facts) {
			c := copied(f.Docket.Cases[0])
			c.ID, c.Rule = "c-2", "PRIVILEGED"
			f.Metas["PRIVILEGED"] = f.Metas["IMAGE_REPO"]
			v := f.Live.Verdicts[0]
			v.Rule = "PRIVILEGED"
			f.Live.Verdicts = append(f.Live.Verdicts, v)
			f.Cases = append(f.Cases, c)
			e := &f.Enforcement
			e.Cases, e.Rules = append(e.Cases, c.ID), append(e.Rules, c.Rule)
			e.Versions, e.Evidence = append(e.Versions, c.RuleVersion), append(e.Evidence, "y")
		}, says: []string{"case c-2: 0 of 3"}},
		{name: "warned under a former name of another rule", change: renamed(2, func(c *docket.Case) { c.Rule = "PRIVILEGED" }), says: []string{"1 of 3"}},
		{name: "warned under a pod's finding", change: renamed(2, func(c *docket.Case) { c.From = v1.FromPod }), says: []string{"1 of 3"}},
		{name: "warned under a former name", change: renamed(2, func(*docket.Case) {})},
	}
}

func TestGate05ConfirmedWarnings(t *testing.T) { prove(t, 5, "confirmed-warnings", rows05()) }

func record(change func(*docket.Enforcement)) func(*Facts) {
	return func(f *Facts) { change(&f.Enforcement) }
}

func rows16() []row {
	rows := []row{
		{name: "no ID", change: record(func(e *docket.Enforcement) { e.ID = "" }), says: []string{"lacks an ID"}},
		{name: "nobody", change: record(func(e *docket.Enforcement) { e.Who = "" }), says: []string{"lacks who"}},
		{name: "another action", change: record(func(e *docket.Enforcement) { e.Action = docket.DeleteIngress }), says: []string{"lacks this action"}},
		{name: "another target", change: record(func(e *docket.Enforcement) { e.Target.UID = "uid-8" }), says: []string{"its target"}},
		{name: "no target", change: record(func(e *docket.Enforcement) { e.Target = v1.Root{} }), says: []string{"its target"}},
		{name: "no evidence", change: record(func(e *docket.Enforcement) { e.Evidence = nil }), says: []string{"lacks evidence"}},
		{name: "no warnings", change: record(func(e *docket.Enforcement) { e.Warnings = nil }), says: []string{"lacks warnings"}},
		{name: "no grant on record", change: record(func(e *docket.Enforcement) { e.Grant = "" }), says: []string{"lacks this budget's grant"}},
		{name: "an older grant", change: record(func(e *docket.Enforcement) { e.Grant = "round-0" }), says: []string{"lacks this budget's grant"}},
		{name: "neither UID known", change: func(f *Facts) {
			f.Docket.Root.UID, f.Enforcement.Target.UID = "", ""
			f.Docket.Aliases = []string{"uid-1"}
		}, says: []string{"its target"}},
	}
	for name, change := range map[string]func(*docket.Enforcement){
		"no cases":        func(e *docket.Enforcement) { e.Cases = nil },
		"another case":    func(e *docket.Enforcement) { e.Cases = []string{"c-9"} },
		"one case more":   func(e *docket.Enforcement) { e.Cases = append(slices.Clone(e.Cases), "c-9") },
		"no rule":         func(e *docket.Enforcement) { e.Rules = nil },
		"another rule":    func(e *docket.Enforcement) { e.Rules = []string{"PRIVILEGED"} },
		"no version":      func(e *docket.Enforcement) { e.Versions = nil },
		"another version": func(e *docket.Enforcement) { e.Versions = []string{"1"} },
	} {
		rows = append(rows, row{name: name, change: record(change), says: []string{"lacks the cases with rule and version"}})
	}
	for _, s := range []docket.EnforcementState{docket.Done, docket.Undoing, docket.Undid, ""} {
		rows = append(rows, row{name: "state " + string(s), change: record(func(e *docket.Enforcement) { e.State = s }), says: []string{"lacks an open intent"}})
	}
	slices.SortFunc(rows, func(a, b row) int { return cmp.Compare(a.name, b.name) })
	return rows
}

func TestGate16Explainable(t *testing.T) { prove(t, 16, "explainable", rows16()) }
