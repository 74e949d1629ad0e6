package action

import (
	"github.com/k8guard/k8guard/internal/notify"
	"github.com/k8guard/k8guard/internal/outbox"
)

// say logs how a try ended. What did not surely arrive is a warning that names the owner and
// what a person may do.
func (e *Engine) say(n outbox.Notice, o notify.Outcome) {
	log := e.Log.With("notice", n.Key, "owner", n.Owner.Key(), "state", string(n.State), "outcome", string(o.State), "detail", o.Detail)
	if n.State == outbox.Unknown && len(n.Told) > 0 {
		log.Warn("a notice was told in part; what was told counts, what may have been is not sent again, the rest is told in the next",
			"told", len(n.Told), "untold", len(n.Untold), "of", len(n.Digest.Items), "next", tryIt(n.Channel))
		return
	}
	switch n.State {
	case outbox.Due:
		log.Warn("a notice did not go out; nothing counts, and it is tried again under its number",
			"next", tryIt(n.Channel))
	case outbox.Failed:
		log.Warn("a notice is given up; it counts for nothing", "next", "mend "+server(n.Channel)+", or who owns this (docs/owners.md)")
	case outbox.Unknown:
		log.Warn("whether a notice arrived is unknown; it counts for nothing and is not sent again",
			"next", "look for it in the log of "+server(n.Channel)+"; the next one goes out in its time")
	default:
		log.Info("notice", "counts", !n.Beside() && n.Owner.Platform)
	}
}

// server is whom a channel speaks to, in words.
func server(channel string) string {
	switch channel {
	case notify.Email:
		return "the mail server"
	case notify.Slack:
		return "Slack"
	case notify.HipChat:
		return "the HipChat server"
	case notify.Alertmanager:
		return "Alertmanager"
	}
	return "the receiver of " + channel
}

func tryIt(channel string) string {
	if channel == notify.Email {
		return "see that the mail server answers and takes mail for this owner"
	}
	return "see that " + server(channel) + " answers; k8guard notify test " + channel + " tries it"
}
