package app

import (
	"context"
	"net/http"
	"time"

	"github.com/k8guard/k8guard/internal/config"
)

// retryServer is how soon a server that is away at the start is asked again.
const retryServer = 2 * time.Second

// early opens the target's address first, and then builds and runs the rest: who asks is told
// what the start waits for, and a keeper sees that the process is alive.
func (in *instance) early(ctx context.Context, rest func(context.Context) error) error {
	listener, err := listenTCP(ctx, in.Settings)
	if err != nil {
		return err
	}
	in.front = newFront(in.Config.Report.Login == config.LoginToken)
	in.waits, in.url = in.front.wait, pageURL(in.Config.Report, listener)
	return together(ctx, rest, func(ctx context.Context) error { return serveHTTP(ctx, listener, in.front.pages()) })
}

// alone serves the target's address beside the parts, until ctx ends or one fails.
func (in *instance) alone(ctx context.Context, handler http.Handler, parts ...func(context.Context) error) error {
	in.front.show(&serving{pages: handler})
	in.Log.Info("K8Guard runs", in.named("report", in.url)...)
	err := together(ctx, append(parts, func(ctx context.Context) error { <-ctx.Done(); return nil })...)
	in.front.close(requestLimit) // what is in hand still needs the ledger
	return err
}

// patient opens what lies on a server. While the server is away it tries again; what a person
// has to mend is an error at once.
func patient[T any](ctx context.Context, in *instance, server string, away func(error) bool, open func() (T, error)) (T, error) {
	var o outage
	for {
		it, err := open()
		if err == nil || ctx.Err() != nil || !away(err) {
			return it, err
		}
		in.waits("not ready: " + server + " does not answer; K8Guard's log has the error")
		if away, say := o.ask(err, in.Now()); say {
			in.Log.Warn("a server does not answer; trying again", append([]any{"server", server}, attrs(err, "check that it is up, and its addresses in the configuration", away)...)...)
		}
		select {
		case <-ctx.Done():
			return it, ctx.Err()
		case <-time.After(retryServer):
		}
	}
}
