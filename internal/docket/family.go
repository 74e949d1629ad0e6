package docket

import (
	"cmp"
	"slices"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
)

// ShortLived is how old a root must grow to be none of the throw-away ones.
const ShortLived = 24 * time.Hour

// Before is what is known of the roots that this one takes the place of.
type Before struct {
	Root v1.Root   `json:"root"` // the last of them
	Gone time.Time `json:"gone"`
	// Times is which of its kind this root is within a month: 3 for the third.
	Times int `json:"times"`
}

// Signature is what cases of one family have in common: rule and source, wherever seen.
func (c Case) Signature() string { return c.Rule + "\x00" + c.Source + "\x00" + string(c.From) }

// ThrowAway reports whether the root is one of many that live shortly: it is told of once for
// all of them, and never acted on.
func (d Docket) ThrowAway(now time.Time) bool {
	return d.Family != "" && now.Sub(d.RootCreated) < ShortLived
}

// Share takes over what the owner was told of cases of the family, so that no root of it is
// warned of by itself. What it carries already stays as it is.
func Share(d Docket, told map[string][]NoticeRef) (Docket, bool) {
	d = d.clone()
	changed := false
	for i := range d.Cases {
		c := &d.Cases[i]
		if c.State == Resolved {
			continue
		}
		for _, ref := range told[c.Signature()] {
			if c.Notice(ref.Key) != nil {
				continue
			}
			if ref.Case == c.ID {
				ref.Case = ""
			}
			c.Notices, changed = append(c.Notices, ref), true
		}
		slices.SortStableFunc(c.Notices, func(a, b NoticeRef) int { return a.At.Compare(b.At) })
	}
	return d, changed
}

// owes reports whether an all-clear is due. Of a root that is a throw-away one as last seen
// there is none: the next of its kind may be on its way.
func (d Docket) owes(c *Case) bool {
	return !d.ThrowAway(d.ObservedAt) && !c.ToldResolved && c.Owes(d.OwnerOf(c.Rule).Key())
}

// Member is one root of a family that is gone.
type Member struct {
	Root    v1.Root   `json:"root"`
	Created time.Time `json:"created"`
	Gone    time.Time `json:"gone"`
}

// Family is what is kept of roots that take each other's place.
type Family struct {
	Gone []Member               `json:"gone"` // the newest, oldest first
	Told map[string][]NoticeRef `json:"told"` // by signature
}

// A family is bounded, and forgets.
const (
	maxGone = 60
	maxTold = 200
	month   = 30 * 24 * time.Hour
)

// Forget drops what is older than a month, and the oldest of too many.
func (f *Family) Forget(now time.Time) {
	f.Gone = slices.DeleteFunc(f.Gone, func(m Member) bool { return now.Sub(m.Gone) > month })
	f.Gone = f.Gone[max(0, len(f.Gone)-maxGone):]
	for sig, refs := range f.Told {
		refs = slices.DeleteFunc(refs, func(n NoticeRef) bool { return now.Sub(n.At) > month })
		if f.Told[sig] = refs; len(refs) == 0 {
			delete(f.Told, sig)
		}
	}
}

// Bury notes a root that is gone; false when it is noted already.
func (f *Family) Bury(m Member) bool {
	if slices.ContainsFunc(f.Gone, func(g Member) bool { return g.Root.UID == m.Root.UID }) {
		return false
	}
	f.Gone = append(f.Gone, m)
	slices.SortStableFunc(f.Gone, func(a, b Member) int { return a.Gone.Compare(b.Gone) })
	return true
}

// Tell notes a notice about cases of the family; false when it is noted already, or there is
// no room.
func (f *Family) Tell(sig string, ref NoticeRef) bool {
	if slices.ContainsFunc(f.Told[sig], func(n NoticeRef) bool { return n.Key == ref.Key }) ||
		f.Told[sig] == nil && len(f.Told) >= maxTold {
		return false
	}
	if f.Told == nil {
		f.Told = map[string][]NoticeRef{}
	}
	f.Told[sig] = append(f.Told[sig], ref)
	return true
}

// Settle keeps how a notice ended; false when nothing waits for it.
func (f *Family) Settle(key string, end Ending, at time.Time) bool {
	changed := false
	for _, refs := range f.Told {
		for i := range refs {
			if n := &refs[i]; n.Key == key && n.Result == Pending {
				n.settle(end, n.Case, at)
				changed = true
			}
		}
	}
	return changed
}

// Before says what a root takes the place of; nil when nothing is known.
func (f Family) Before(uid string) *Before {
	gone := slices.DeleteFunc(slices.Clone(f.Gone), func(m Member) bool { return m.Root.UID == uid })
	if len(gone) == 0 {
		return nil
	}
	last := slices.MaxFunc(gone, func(a, b Member) int { return cmp.Or(a.Gone.Compare(b.Gone), 0) })
	return &Before{Root: last.Root, Gone: last.Gone, Times: len(gone) + 1}
}

// Short reports whether a root of the family lived shortly, and died shortly before now.
func (f Family) Short(now time.Time) bool {
	return slices.ContainsFunc(f.Gone, func(m Member) bool {
		return m.Gone.Sub(m.Created) < ShortLived && now.Sub(m.Gone) < ShortLived
	})
}
