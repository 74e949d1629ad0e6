package app

import (
	"context"
	"strings"
	"time"
	"unicode"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// hush is how long the same trouble is not said again.
const hush = time.Minute

// outage keeps the log quiet while something is away: another error is said at once, the same
// one once a minute.
type outage struct {
	since, said time.Time
	text        string
}

// ask reports whether the error is to be said now, and for how long it has been so.
func (o *outage) ask(err error, now time.Time) (away time.Duration, say bool) {
	text := strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) { // a port of ours is another one at each try
			return -1
		}
		return r
	}, err.Error())
	if o.since.IsZero() {
		o.since = now
	}
	if text == o.text && now.Sub(o.said) < hush && !now.Before(o.said) {
		return 0, false
	}
	o.text, o.said = text, now
	return now.Sub(o.since).Round(time.Second), true
}

// attrs are those of a log line about an error that lasts.
func attrs(err error, next string, away time.Duration) []any {
	all := []any{"err", err, "next", next}
	if away > 0 {
		all = append(all, "away", away)
	}
	return all
}

// await asks an API server, each second, until it answers, and says meanwhile what it waits for.
func (in *instance) await(ctx context.Context, a account, ask func(context.Context) error) error {
	var o outage
	for {
		err := ask(ctx)
		if err == nil {
			return nil
		}
		what, next := in.refusal(err, a)
		if in.waits != nil {
			in.waits("not ready: " + what + "; " + next + "; K8Guard's log has the error")
		}
		if away, say := o.ask(err, in.Now()); say && ctx.Err() == nil {
			in.sayRefusal(err, attrs(err, next, away))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
	}
}

// What an API server's refusal means. Just after its start it may refuse what it will allow.
const (
	notKnown   = "the API server does not know K8Guard's token or certificate (401)"
	notAllowed = "the API server does not let K8Guard's account read what it needs (403)"
	notThere   = "the API server does not answer"
)

func (in *instance) sayRefusal(err error, attrs []any) {
	switch {
	case apierrors.IsUnauthorized(err):
		in.Log.Warn(notKnown+"; trying again", attrs...)
	case apierrors.IsForbidden(err):
		in.Log.Warn(notAllowed+"; trying again", attrs...)
	default:
		in.Log.Warn(notThere+"; trying again", attrs...)
	}
}

// refusal is what the error means, and what to do about it.
func (in *instance) refusal(err error, a account) (what, next string) {
	switch {
	case apierrors.IsUnauthorized(err):
		return notKnown, "if it lasts, " + in.anew(a)
	case apierrors.IsForbidden(err):
		return notAllowed, "if it lasts, apply " + a.rights()
	}
	return notThere, "check " + a.key + " and that the server is up"
}

// anew is what to do where an API server does not know the account: what stands in a kubeconfig
// is read at the start, and by "run" on SIGHUP. A pod's token is read again by itself.
func (in *instance) anew(a account) string {
	switch {
	case a.path == "":
		return "see that the pod's ServiceAccount is there, and start the pod anew"
	case in.Reload != nil:
		return "make it anew (" + a.maker() + "), then send K8Guard SIGHUP"
	}
	return "make it anew (" + a.maker() + "), then start K8Guard again"
}
