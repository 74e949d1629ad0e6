package docket

import (
	"slices"
	"time"
)

// telling is one step of the ladder as all its channels together carried it: its notices by
// channels that reach the owner personally if there is one, else those beside. So what is beside
// holds nothing up and confirms nothing, but where it is all there is it paces the ladder.
type telling []NoticeRef

// tellings groups the case's notices, in the order in which they began. They are few: a search
// from the end costs less than an index.
func (c Case) tellings() []telling {
	if len(c.Notices) == 0 {
		return nil
	}
	all := make([]telling, 0, len(c.Notices))
	for i, n := range c.Notices {
		at := len(all) - 1
		for at >= 0 && !all[at][0].together(n) {
			at--
		}
		switch {
		case at < 0:
			all = append(all, c.Notices[i:i+1:i+1]) // no copy; what is appended makes one
		case all[at][0].Beside == n.Beside:
			all[at] = append(all[at], n)
		case all[at][0].Beside:
			all[at] = c.Notices[i : i+1 : i+1]
		}
	}
	return all
}

// together reports whether two notices are of one telling.
func (n NoticeRef) together(o NoticeRef) bool {
	return n.Try != 0 && n.Try == o.Try && n.Purpose == o.Purpose && n.Case == o.Case
}

func (t telling) any(results ...Result) bool {
	return slices.ContainsFunc(t, func(n NoticeRef) bool { return slices.Contains(results, n.Result) })
}

// failed reports whether nobody heard it, and nobody will.
func (t telling) failed() bool { return !t.any(Pending, Sent, UnknownSend) }

// counts reports whether it is a confirmed warning to this owner.
func (n NoticeRef) counts(owner string) bool {
	return n.Purpose == Warning && n.Result == Sent && n.Owner == owner && !n.Beside
}

// NextTry is the number of the case's next telling for a purpose.
func (c Case) NextTry(p Purpose) int {
	next := 1
	for _, n := range c.Notices {
		if n.Purpose == p {
			next = max(next, n.Try+1)
		}
	}
	return next
}

// Without returns the case as it was before a telling began on any channel, and whether it had.
func (c Case) Without(p Purpose, try int) (Case, bool) {
	mine := func(n NoticeRef) bool { return try > 0 && n.Case == "" && n.Purpose == p && n.Try == try }
	if !slices.ContainsFunc(c.Notices, mine) {
		return c, false
	}
	c.Notices = slices.DeleteFunc(slices.Clone(c.Notices), mine)
	if p == AllClear {
		c.ToldResolved = false
	}
	return c, true
}

// Count returns how many warnings of the case were confirmed for this owner, each once however
// many channels carried it, and how many tries of warnings there were for any owner (pending and
// unknown ones too).
func (c Case) Count(owner string) (confirmed, tries int) {
	for _, t := range c.tellings() {
		if t[0].Purpose != Warning || t.failed() {
			continue
		}
		tries++
		if slices.ContainsFunc(t, func(n NoticeRef) bool { return n.counts(owner) }) {
			confirmed++
		}
	}
	return confirmed, tries
}

// Heard returns how many warnings went out to this owner, also by channels that reach nobody
// personally: enough for a ladder that only tells.
func (c Case) Heard(owner string) (n int) {
	for _, t := range c.tellings() {
		if t[0].Purpose == Warning && slices.ContainsFunc(t, func(n NoticeRef) bool { return n.Result == Sent && n.Owner == owner }) {
			n++
		}
	}
	return n
}

// Telling reports whether a notice to the case's owner has no outcome yet, and no other channel
// that reaches them has taken it. What the platform is asked holds nothing up.
func (c Case) Telling() bool {
	return slices.ContainsFunc(c.tellings(), func(t telling) bool {
		return t[0].Purpose != NeedsHuman && t.any(Pending) && !t.any(Sent)
	})
}

// LastTry returns when the case's newest warning was tried or confirmed; zero if none was.
func (c Case) LastTry() time.Time {
	var last time.Time
	for _, t := range c.tellings() {
		for _, n := range t {
			if n.Purpose == Warning && n.Result != FailedSend && n.At.After(last) {
				last = n.At
			}
		}
	}
	return last
}

// Again says why a warning that is about to be told has the number of one that its owner was told
// before: the ladder counts no further, and one more is due. Empty where it has not.
func (c Case) Again(next NoticeRef) string {
	var newest NoticeRef
	named := false
	for _, n := range c.Notices {
		if n.Purpose != Warning || next.Purpose != Warning || n.Result != Sent || n.Owner != next.Owner || n.N < next.N || next.together(n) {
			continue
		}
		if !n.At.Before(newest.At) {
			newest = n
		}
		named = named || !n.ActAt.IsZero()
	}
	switch {
	case newest.Key == "":
		return ""
	case newest.At.Before(c.OpenedAt):
		return "again: it came back"
	case !named && !next.ActAt.IsZero():
		return "again: an act follows now, and no warning before named one"
	}
	return ""
}

// WarnedSince reports whether a warning to this owner was confirmed at that time or later.
func (c Case) WarnedSince(owner string, at time.Time) bool {
	return slices.ContainsFunc(c.Notices, func(n NoticeRef) bool { return n.counts(owner) && !n.At.Before(at) })
}

// HeardSince is WarnedSince for a ladder that only tells: see [Case.Heard].
func (c Case) HeardSince(owner string, at time.Time) bool {
	return slices.ContainsFunc(c.Notices, func(n NoticeRef) bool {
		return n.Purpose == Warning && n.Result == Sent && n.Owner == owner && !n.At.Before(at)
	})
}

// ActAt returns the date of the act that the newest warning confirmed for this owner named;
// zero when that warning named none, or came before since.
func (c Case) ActAt(owner string, since time.Time) time.Time {
	var newest NoticeRef
	for _, n := range c.Notices {
		if n.counts(owner) && !n.At.Before(since) && !n.At.Before(newest.At) {
			newest = n
		}
	}
	return newest.ActAt
}

// Failed returns how many warnings of the case were given up since the last that was not,
// and when the newest was.
func (c Case) Failed() (n int, last time.Time) {
	for _, t := range c.tellings() {
		switch {
		case t[0].Purpose != Warning: // what the platform was asked says nothing about the owner's mailbox
		case t.failed():
			n++
			for _, ref := range t {
				if ref.At.After(last) {
					last = ref.At
				}
			}
		case t.any(Sent, UnknownSend):
			n = 0
		}
	}
	return n, last
}
