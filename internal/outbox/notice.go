package outbox

import (
	"slices"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/notify"
)

// told notes cases that a try told, each once.
func (n *Notice) told(cases []string) {
	for _, id := range cases {
		if !slices.Contains(n.Told, id) {
			n.Told = append(n.Told, id)
		}
	}
}

// butTold are the cases that no try told.
func (n Notice) butTold(cases []string) (left []string) {
	for _, id := range cases {
		if !slices.Contains(n.Told, id) {
			left = append(left, id)
		}
	}
	return left
}

// GivenUp is the notice as it ends after a definite failure: failed, for nobody heard of it. Where
// a part of it was told it is of unknown fate, and only what was not told is due again.
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
	end := docket.Ending{Result: docket.UnknownSend, Detail: n.Detail, Untold: n.Untold}
	switch n.State {
	case Sent:
		end.Result, end.Beside = docket.Sent, !n.takenFor(n.personal())
	case Failed:
		end.Result = docket.FailedSend
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

// Counts reports whether a notice confirms for the owner that it names: sent, to an owner
// named by the platform, and taken for one of the names that are the owner's own.
func (n Notice) Counts() bool {
	return n.State == Sent && n.Owner.Platform && n.takenFor(n.personal())
}

// CountsToday is Counts, for an owner who is reached on this channel by these ids today: one
// that belongs to somebody else by now confirms nothing.
func (n Notice) CountsToday(ids []string) bool {
	if n.Channel == notify.Email {
		return n.Counts() // the owner is the addresses
	}
	still := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return !slices.Contains(n.Digest.Mentions, id) })
	return n.Counts() && n.takenFor(still)
}

func (n Notice) takenFor(names []string) bool {
	return slices.ContainsFunc(n.Accepted, func(a string) bool { return slices.Contains(names, a) })
}
