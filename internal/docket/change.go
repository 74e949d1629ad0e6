package docket

import (
	"cmp"
	"fmt"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
)

// OpenCase makes a case of a finding that has stood long enough.
func OpenCase(d Docket, id string, now time.Time) (Docket, []Entry) {
	d = d.clone()
	c := d.Find(id)
	if c == nil || c.State != Standing {
		return d, nil
	}
	c.State, c.OpenedAt, c.ToldResolved = Open, now, false
	return d, []Entry{{At: now, Kind: EntryOpened, Case: id, Text: fmt.Sprintf("%s: %s", c.Rule, c.Message)}}
}

// SetPlan keeps policy's word on a case. An entry is written when the step or the reason
// changes; a date alone that moves is kept without one.
func SetPlan(d Docket, id string, p Plan, now time.Time) (Docket, []Entry, bool) {
	c := d.Find(id)
	if c == nil || c.Plan == p {
		return d, nil, false
	}
	d = d.clone()
	c = d.Find(id)
	before := c.Plan
	c.Plan = p
	if before.Step == p.Step && before.Reason == p.Reason && before.Next == p.Next {
		return d, nil, true
	}
	return d, []Entry{{At: now, Kind: EntryPlan, Case: id, Text: p.String()}}, true
}

// String says the plan in words.
func (p Plan) String() string {
	switch {
	case p.Text != "":
		return p.Text
	case p.Next != "":
		return fmt.Sprintf("%s: %s next", p.Reason, p.Next)
	}
	return p.Reason
}

// AttachNotice ties cases to a notice that is about to be sent. Cases that carry it
// already stay as they are.
func AttachNotice(d Docket, key string, refs map[string]NoticeRef, now time.Time) (Docket, []Entry) {
	d = d.clone()
	var entries []Entry
	for i := range d.Cases {
		c := &d.Cases[i]
		ref, ok := refs[c.ID]
		if !ok || c.Notice(key) != nil {
			continue
		}
		ref.Key, ref.Result, ref.At = key, Pending, now
		text := fmt.Sprintf("%s %d is put into a notice to %s", ref.Purpose, ref.N, ref.Owner)
		if again := c.Again(ref); again != "" {
			text += ", " + again
		}
		c.Notices = append(c.Notices, ref)
		if ref.Beside {
			text += ", beside: its channel reaches nobody personally, so it counts for nothing"
		}
		entries = append(entries, Entry{At: now, Kind: EntryNotice, Case: c.ID, Text: text,
			Data: map[string]string{"notice": key}})
	}
	return d, entries
}

// Fate is how a notice ended for a case.
type Fate struct {
	Result Result
	// Beside says that it reached its owner only with everybody else, whatever was hoped for: then
	// it confirms nothing.
	Beside bool
}

// Ending is how a notice ended.
type Ending struct {
	Fate
	Detail string
	But    map[string]Fate // for single cases, where it did not end as one
}

// settle takes over the ending for a case, under the id that the notice gave it.
func (n *NoticeRef) settle(end Ending, id string, at time.Time) {
	fate, its := end.But[id]
	if !its {
		fate = end.Fate
	}
	n.Result, n.At, n.Beside = fate.Result, at, n.Beside || fate.Beside
}

// SettleNotice takes over how a notice ended, once for each case that carries it.
func SettleNotice(d Docket, key string, end Ending, at time.Time) (Docket, []Entry) {
	d = d.clone()
	var entries []Entry
	for i := range d.Cases {
		c := &d.Cases[i]
		ref := c.Notice(key)
		if ref == nil || ref.Result != Pending {
			continue
		}
		beside := ref.Beside
		ref.settle(end, cmp.Or(ref.Case, c.ID), at)
		text := fmt.Sprintf("%s %d to %s: %s", ref.Purpose, ref.N, ref.Owner, ref.Result)
		if end.Detail != "" {
			text += " (" + end.Detail + ")"
		}
		if ref.Beside && !beside {
			text += "; it reached nobody personally, so it counts for nothing"
		}
		entries = append(entries, Entry{At: at, Kind: EntryNotice, Case: c.ID, Text: text,
			Data: map[string]string{"notice": key, "result": string(ref.Result)}})
	}
	d.owe()
	return d, entries
}

// Notice returns the case's tie to a notice, or nil.
func (c *Case) Notice(key string) *NoticeRef {
	for i := range c.Notices {
		if c.Notices[i].Key == key {
			return &c.Notices[i]
		}
	}
	return nil
}

// Pending returns the keys of the notices that wait for their outcome.
func (d Docket) Pending() []string {
	var keys []string
	seen := map[string]bool{}
	for _, c := range d.Cases {
		for _, n := range c.Notices {
			if n.Result == Pending && !seen[n.Key] {
				seen[n.Key] = true
				keys = append(keys, n.Key)
			}
		}
	}
	return keys
}

// Holds reports whether this UID is the root's, or an alias of it.
func (d Docket) Holds(uid string) bool {
	for _, a := range d.Aliases {
		if a == uid {
			return true
		}
	}
	return d.Root.UID == uid
}

// SameRoot reports whether two roots are one object.
func SameRoot(a, b v1.Root) bool { return a.UID == b.UID && a.Kind == b.Kind }
