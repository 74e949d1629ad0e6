package enforce

import (
	"slices"
	"time"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/policy"
)

// Rule 4. Mark, wait, act: the case is open and old enough, it stood before it opened, and
// the date that the last warning named has come. Times that are not on record refuse: a
// zero time would look very old.
func markWaitAct(f Facts) No {
	ladder := f.Policy.Ladder
	if f.Config.MinimumAge <= 0 || policy.LastWait(ladder) <= 0 {
		return no("enforce.minimumAge or the wait of policy %q is not above zero; write durations such as 24h", f.Policy.Name)
	}
	for _, c := range f.Cases {
		switch {
		case c.State != docket.Open || c.OpenedAt.IsZero():
			return no("case %s is %s, not open", c.ID, c.State)
		case c.FirstSeen.IsZero():
			return no("case %s: when it was first seen is not on record", c.ID)
		case c.OpenedAt.Sub(c.FirstSeen) < ladder.Standing:
			return no("case %s stood %s before it opened, less than %s", c.ID, c.OpenedAt.Sub(c.FirstSeen), ladder.Standing)
		case f.Now.Sub(c.OpenedAt) < f.Config.MinimumAge:
			return no("case %s is %s old, less than enforce.minimumAge %s", c.ID, f.Now.Sub(c.OpenedAt), f.Config.MinimumAge)
		case c.LastTry().IsZero():
			return no("case %s: no warning is on record", c.ID)
		case !policy.Paused(c, ladder, f.Now).IsZero():
			return no("case %s: acknowledged by %s, and paused until %s", c.ID, c.Ack.By, policy.Paused(c, ladder, f.Now).Format(time.RFC3339))
		case f.Now.Sub(c.LastTry()) < policy.LastWait(ladder):
			return no("case %s: the last warning went out %s ago, less than %s", c.ID, f.Now.Sub(c.LastTry()), policy.LastWait(ladder))
		}
	}
	return yes()
}

// Rule 5. Confirmed warnings only, to the owner whom the platform names now. The notices
// are counted as the ledger has them, not by the case's own count.
func confirmedWarnings(f Facts) No {
	if f.Owner.Err != nil {
		return no("the owner cannot be read: %v", f.Owner.Err)
	}
	needed := f.Policy.Ladder.Warnings
	if needed < 1 {
		return human("policy %q asks for no warning; write ladder.warnings: 1 or more", f.Policy.Name)
	}
	if len(f.Cases) == 0 {
		return no("no case asks for it")
	}
	for _, c := range f.Cases {
		who := f.Owner.Of(c.Rule)
		if !who.Platform || who.Key() == "" {
			return human("the platform names no owner, and warnings to %q do not count; it can name one on the Namespace object, or in the teams file", who.Key())
		}
		got, last := confirmedFor(f, c)
		if got < needed {
			return no("case %s: %d of %d warnings confirmed for %s", c.ID, got, needed, who.Key())
		}
		if !c.WarnedSince(who.Key(), c.OpenedAt) {
			return no("case %s: no warning was confirmed since it opened", c.ID)
		}
		if last.IsZero() {
			return no("case %s: the last confirmed warning named no act", c.ID)
		}
		if f.Now.Before(last) {
			return no("case %s: the last confirmed warning named %s for the act", c.ID, last.UTC().Format(time.RFC3339))
		}
	}
	return yes()
}

// confirmedFor counts the warnings of the case that reached today's owner, each number
// once: two channels that carry one warning are one warning. A notice counts only while the
// case refers to it: one from before the ladder began anew does not. The date is that which the
// newest of them named for the act, zero when it named none.
func confirmedFor(f Facts, c docket.Case) (int, time.Time) {
	seen := map[int]bool{}
	var newest, actAt time.Time
	for _, n := range f.Notices {
		ref := c.Notice(n.Key)
		if ref == nil || ref.Purpose != docket.Warning || !n.Confirmed || !n.Platform || n.Owner != f.Owner.Of(c.Rule).Key() {
			continue
		}
		id := warnedAs(f, n, *ref, c)
		if n.Numbers[id] <= 0 || slices.Contains(n.Unheard, id) {
			continue
		}
		seen[n.Numbers[id]] = true
		if !ref.At.Before(newest) {
			newest, actAt = ref.At, n.ActAt[id]
		}
	}
	return len(seen), actAt
}

// warnedAs is the ID under which the notice warned of the case. A case that goes on under
// another source (a renamed container) was warned about under its former one.
func warnedAs(f Facts, n Told, ref docket.NoticeRef, c docket.Case) string {
	if ref.Case != "" {
		return ref.Case
	}
	for _, former := range f.Docket.Cases {
		if n.Numbers[c.ID] == 0 && former.Rule == c.Rule && former.From == c.From && n.Numbers[former.ID] > 0 {
			return former.ID
		}
	}
	return c.ID
}

// Rule 16. Explainable: who, why, which version, evidence, warnings and budget are on record
// before anything is done, and it is the record of this act on this object.
func explainable(f Facts) No {
	e := f.Enforcement
	for _, m := range []struct {
		name string
		ok   bool
	}{
		{"an ID", e.ID != ""},
		{"an open intent", e.State == docket.Intent},
		{"this action and its target", e.Action == f.Action && e.Target.UID != "" && docket.SameRoot(e.Target, f.Docket.Root)},
		{"who", e.Who != ""},
		{"the cases with rule and version", recorded(e, f.Cases)},
		{"evidence", len(e.Evidence) == len(f.Cases)},
		{"warnings", len(e.Warnings) > 0},
		{"this budget's grant", e.Grant == f.Grant.ID}, // both empty: rule 8 refuses
	} {
		if !m.ok {
			return no("the record lacks %s", m.name)
		}
	}
	return yes()
}

// recorded reports whether the record names exactly these cases, each by rule and version.
func recorded(e docket.Enforcement, cases []docket.Case) bool {
	if len(cases) == 0 || len(e.Cases) != len(cases) || len(e.Rules) != len(cases) || len(e.Versions) != len(cases) {
		return false
	}
	for i, c := range cases {
		if e.Cases[i] != c.ID || e.Rules[i] != c.Rule || e.Versions[i] == "" || e.Versions[i] != c.RuleVersion {
			return false
		}
	}
	return true
}
