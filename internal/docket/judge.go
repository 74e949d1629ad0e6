package docket

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
)

// judge takes the verdicts over into the cases.
func (d *Docket) judge(o v1.Observation) []Entry {
	var entries []Entry
	var fresh []finding
	known := map[string]bool{}
	d.Dropped = 0
	for _, v := range o.Verdicts {
		known[v.Rule] = true
		more, unseen := d.verdict(o, v)
		entries, fresh = append(entries, more...), append(fresh, unseen...)
	}
	for i := range d.Cases {
		if c := &d.Cases[i]; !known[c.Rule] && !c.asleep(o) {
			entries = append(entries, c.resolve(o.At, "the rule no longer applies")...)
		}
	}
	// The worst first, whatever its rule is called: many small ones must not hide it.
	slices.SortStableFunc(fresh, func(a, b finding) int { return cmp.Compare(b.rank(), a.rank()) })
	for _, f := range fresh {
		entries = append(entries, d.add(o, f.verdict, f.violation)...)
	}
	d.dropStanding()
	return entries
}

// verdict takes one rule's word over into the cases that exist, and returns what has none.
func (d *Docket) verdict(o v1.Observation, v v1.Verdict) (entries []Entry, fresh []finding) {
	present := map[string]bool{}
	for _, x := range v.Violations {
		id := CaseID(d.Key, v.Rule, x.Source, x.From)
		if present[id] {
			continue
		}
		present[id] = true
		if c := d.Find(id); c != nil {
			entries = append(entries, c.sight(o, v, x)...)
		} else {
			fresh = append(fresh, finding{v, x})
		}
	}
	// What the rule could not read keeps its cases; only a full look resolves.
	partial := v.State == v1.Unknown || v.Reason != ""
	vanished := func(c *Case) bool { return c.Rule == v.Rule && !present[c.ID] && c.State != Resolved }
	for i := range d.Cases {
		c := &d.Cases[i]
		switch {
		case !vanished(c) || c.asleep(o):
		case partial:
			entries = append(entries, c.unknown(o.At, v.Reason)...)
		default:
			entries = append(entries, c.resolve(o.At, "no longer found")...)
		}
	}
	return entries, fresh
}

// add makes a case. It inherits the warnings of one of the same rule that vanished within
// the window, so that renaming a container buys no new warnings. Where that one vanished in
// this very observation it goes on as if nothing had happened; later, it must stand first.
func (d *Docket) add(o v1.Observation, v v1.Verdict, x v1.Violation) []Entry {
	c := Case{ID: CaseID(d.Key, v.Rule, x.Source, x.From), Rule: v.Rule, Source: x.Source, From: x.From,
		State: Standing, FirstSeen: o.At}
	c.copyFrom(o, v, x)
	entry := Entry{At: o.At, Kind: EntrySeen, Case: c.ID, Text: fmt.Sprintf("%s: %s", v.Rule, x.Message)}
	old := d.heir(c, o.At)
	if old != nil {
		c.inherit(*old, old.ResolvedAt.Equal(o.At))
		entry.Text += fmt.Sprintf(" (goes on from %s, %q)", old.ID, old.Source)
	}
	room, ok := d.makeRoom(c, old, o.At)
	if !ok {
		d.Dropped++
		return nil
	}
	d.Cases = append(d.Cases, c)
	return append(room, entry)
}

func (c *Case) copyFrom(o v1.Observation, v v1.Verdict, x v1.Violation) {
	c.Severity, c.RuleVersion, c.Message, c.Path, c.Evidence = v.Severity, v.Version, x.Message, x.Path, x.Evidence
	c.LastSeen, c.Unknown = o.At, ""
}

func (c *Case) sight(o v1.Observation, v v1.Verdict, x v1.Violation) []Entry {
	var entries []Entry
	if c.State == Resolved {
		if o.At.Sub(c.ResolvedAt) >= ReopenWindow {
			c.Notices = nil // a ladder of its own, from its first step
		}
		// Its warnings count on, but it must stand again, and be warned of again, before an act:
		// the owner was told that all is well.
		c.State, c.FirstSeen, c.OpenedAt, c.ResolvedAt, c.Heir = Standing, o.At, time.Time{}, time.Time{}, ""
		entries = append(entries, Entry{At: o.At, Kind: EntryReopened, Case: c.ID, Text: "found again: " + x.Message})
	} else if c.Evidence != x.Evidence {
		entries = append(entries, Entry{At: o.At, Kind: EntryChanged, Case: c.ID,
			Text: fmt.Sprintf("evidence changed from %q to %q", c.Evidence, x.Evidence)})
	}
	c.copyFrom(o, v, x)
	return entries
}

// asleep reports whether only live pods showed the case, and none runs now to look at.
func (c *Case) asleep(o v1.Observation) bool {
	return c.From == v1.FromPod && (o.Dormant != "" || o.NoPods)
}

func (c *Case) unknown(at time.Time, reason string) []Entry {
	if reason == "" {
		reason = "the rule gave no reason"
	}
	if c.Unknown == reason {
		return nil
	}
	c.Unknown = reason
	return []Entry{{At: at, Kind: EntryUnknown, Case: c.ID, Text: "cannot be judged: " + reason}}
}

func (c *Case) resolve(at time.Time, why string) []Entry {
	if c.State == Resolved || c.State == Standing {
		if c.State == Standing {
			c.State, c.ResolvedAt = Resolved, at // the all-clear, if one was due, is out or still due
			if len(c.Notices) > 0 {
				return []Entry{{At: at, Kind: EntryResolved, Case: c.ID, Text: why}}
			}
		}
		return nil
	}
	c.State, c.ResolvedAt, c.Unknown, c.Ack = Resolved, at, "", nil
	c.ToldResolved = false // see owe
	return []Entry{{At: at, Kind: EntryResolved, Case: c.ID, Text: why}}
}

// dropStanding forgets what vanished before it became a case. What was warned of before stays:
// to flicker must not wipe out the count.
func (d *Docket) dropStanding() {
	d.Cases = slices.DeleteFunc(d.Cases, func(c Case) bool {
		return c.State == Resolved && c.OpenedAt.IsZero() && len(c.Notices) == 0
	})
}
