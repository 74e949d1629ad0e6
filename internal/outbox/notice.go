package outbox

import (
	"slices"
	"time"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/notify"
)

// told notes cases that a try told, each once: as it was told first. It reports whether any is new.
func (n *Notice) told(cases []notify.Telling) (more bool) {
	for _, one := range cases {
		if n.telling(one.Case) == nil {
			n.Told, more = append(n.Told, one), true
		}
	}
	return more
}

// telling is how a case was told by a try that was not confirmed; nil when none did.
func (n Notice) telling(caseID string) *notify.Telling {
	for i := range n.Told {
		if n.Told[i].Case == caseID {
			return &n.Told[i]
		}
	}
	return nil
}

// butTold are the cases that no try told.
func (n Notice) butTold(cases []string) (left []string) {
	return slices.DeleteFunc(slices.Clone(cases), func(id string) bool { return n.telling(id) != nil })
}

// Rests reports whether a notice waits for its next try. A date that no pause and no failure can have
// made was made by a clock that was wrong, and is none.
func (n Notice) Rests(now time.Time) bool {
	return now.Before(n.NotUntil) && n.NotUntil.Sub(now) <= notify.MaxPause+skew
}

// GivenUp is the notice as it ends after a definite failure: failed, for nobody heard of it. Where
// a part of it was told it is of unknown fate as a whole, and only what was not told is due again.
func (n Notice) GivenUp(detail string) Notice {
	n.State, n.Detail = Failed, detail
	if len(n.Told) == 0 {
		return n
	}
	var all []string
	for _, item := range n.Digest.Items {
		all = append(all, item.Case)
	}
	n.State, n.Untold = Unknown, n.butTold(all)
	return n
}

// Ending is how a notice that is over ended for its cases.
func (n Notice) Ending() docket.Ending {
	end := docket.Ending{Detail: n.Detail, Fate: docket.Fate{Result: docket.UnknownSend}}
	switch n.State {
	case Sent:
		end.Fate = docket.Fate{Result: docket.Sent, Beside: !n.own(n.Accepted)}
		return end
	case Failed:
		end.Result = docket.FailedSend
	}
	end.But = map[string]docket.Fate{}
	for _, id := range n.Untold {
		end.But[id] = docket.Fate{Result: docket.FailedSend}
	}
	for _, one := range n.Told {
		end.But[one.Case] = docket.Fate{Result: docket.Sent, Beside: !n.own(one.For)}
	}
	return end
}

// personal are the names by which the notice reaches its owner and nobody else: addresses, or
// ids that a record of the platform's maps the owner to. A room, a webhook or Alertmanager has none.
func (n Notice) personal() []string {
	if n.Channel == notify.Email {
		return n.Owner.Emails
	}
	return n.Digest.Mentions
}

// Beside reports whether the notice reaches its owner only with everybody else: then it counts
// for nothing, whatever becomes of it.
func (n Notice) Beside() bool { return len(n.personal()) == 0 }

// Counts reports whether a notice confirms a case for the owner that it names: told, to an owner
// named by the platform, and taken for one of the names that are the owner's own.
func (n Notice) Counts(caseID string) bool {
	return n.Owner.Platform && n.own(n.takenFor(caseID))
}

// CountsToday is Counts, for an owner who is reached on this channel by these ids today: one
// that belongs to somebody else by now confirms nothing.
func (n Notice) CountsToday(caseID string, ids []string) bool {
	if n.Channel == notify.Email {
		return n.Counts(caseID) // the owner is the addresses
	}
	still := slices.DeleteFunc(slices.Clone(n.takenFor(caseID)), func(id string) bool { return !slices.Contains(ids, id) })
	return n.Owner.Platform && n.own(still)
}

// takenFor is for whom a case was surely taken: with all of the notice, or in a part of it.
func (n Notice) takenFor(caseID string) []string {
	if n.State == Sent {
		return n.Accepted
	}
	if one := n.telling(caseID); one != nil {
		return one.For
	}
	return nil
}

// own reports whether one of the names is the owner's.
func (n Notice) own(names []string) bool {
	own := n.personal()
	return slices.ContainsFunc(names, func(a string) bool { return slices.Contains(own, a) })
}
