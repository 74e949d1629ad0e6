package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"k8s.io/utils/ptr"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/ledger/sqlite"
	"github.com/k8guard/k8guard/internal/login"
	"github.com/k8guard/k8guard/internal/telemetry"
)

// buildLimit is how long the parts of a new configuration may take to be built, retryBuild
// how long until they are tried again where nothing else is said.
const (
	buildLimit = time.Minute
	retryBuild = 30 * time.Second
)

// house is what outlives a configuration: the ledger, the listeners, and who we are. In it
// lives one instance at a time.
type house struct {
	Settings
	store  *sqlite.Ledger
	shown  *sqlite.Ledger
	holder string
	front  *front
	reload *reloadState
	book   *login.Book
	images *images
}

func newHouse(s Settings, store, shown *sqlite.Ledger, known *images) *house {
	return &house{images: known, Settings: s, store: store, shown: shown, holder: uuid.NewString(), front: newFront(s.Config.Report.Login == config.LoginToken), reload: newReloadState(), book: login.NewBook(s.Now)}
}

// build wires an instance for a configuration; nothing of it runs.
func (h *house) build(ctx context.Context, c config.Config) (*instance, error) {
	return h.buildOver(ctx, c, telemetry.NewRegistry(h.Version, h.Commit))
}

func (h *house) buildOver(ctx context.Context, c config.Config, to registry) (*instance, error) {
	s := h.Settings
	s.Config = c
	in := measured(s, to)
	in.store, in.pruner, in.shown = h.store, h.store, h.shown
	in.holder, in.book, in.images, in.reload, in.waits = h.holder, h.book, h.images, h.reload, h.front.wait
	return in, errors.Join(in.registry.Register(h.reload), in.wire(ctx))
}

// live opens the doors, builds the first instance, which must succeed, and keeps an instance
// running until ctx ends or a part fails. The doors come first: who asks is told what the
// start waits for.
func (h *house) live(ctx context.Context) error {
	listeners, err := listen(ctx, h.Settings)
	if err != nil {
		return err
	}
	next := make(chan config.Config)
	return together(ctx,
		func(ctx context.Context) error { return h.begin(ctx, pageURL(h.Config.Report, listeners[0]), next) },
		func(ctx context.Context) error { h.watch(ctx, next); return nil },
		h.images.run,
		func(ctx context.Context) error { return serveHTTP(ctx, listeners[0], h.front.pages()) },
		func(ctx context.Context) error { return serveHTTP(ctx, listeners[1], h.front.local()) })
}

func (h *house) begin(ctx context.Context, url string, next <-chan config.Config) error {
	in, refused, err := h.first(ctx, next)
	if err != nil {
		return err
	}
	if err := h.front.open(in); err != nil {
		return err
	}
	mode, why := in.action.Mode(in.cluster.Name)
	h.Log.Info("K8Guard runs", "cluster", in.cluster.Name, "mode", mode, "why", why, "report", url, "socket", absolute(Socket(h.Config)))
	return h.instances(ctx, in, refused, next)
}

// built is an instance, or why there is none.
type built struct {
	in  *instance
	err error
}

// first builds the first instance. A new configuration meanwhile begins it anew: what the start
// waits for, such as a token that the API server knows, may come with it. One with which nothing
// can be built leaves the one of the start, which must do; it is returned, to be tried again.
func (h *house) first(ctx context.Context, next <-chan config.Config) (in *instance, refused *config.Config, err error) {
	c, started := h.Config, true // with what was there at the start
	for {
		until, stop := context.WithCancel(ctx)
		builds := make(chan built, 1)
		go func(c config.Config) {
			in, err := h.build(until, c)
			builds <- built{in, err}
		}(c)
		select {
		case b := <-builds:
			stop()
			if b.err == nil && !started {
				h.reload.succeeded(h.Now())
			}
			if b.err == nil || started || ctx.Err() != nil {
				return b.in, refused, b.err
			}
			h.refuse(fmt.Errorf("nothing can be run with it yet: %w", b.err))
			refused, c, started = ptr.To(c), h.Config, true
		case c = <-next:
			stop()
			<-builds // of a configuration that is not meant any more
			refused, started = nil, false
			h.Log.Info("the configuration was read anew; the start begins again with it")
		}
	}
}

// instances runs one instance after the other, each until a new configuration comes.
func (h *house) instances(ctx context.Context, in *instance, wanted *config.Config, next <-chan config.Config) error {
	for {
		until, stop := context.WithCancel(ctx)
		ended := make(chan error, 1)
		go func() { ended <- in.run(until) }()
		after, err := h.replace(ctx, ended, wanted, next)
		wanted = nil
		if after != nil {
			h.front.close(requestLimit) // what was asked of the old one is answered first
			stop()
			err = <-ended
		}
		stop()
		if err != nil || after == nil {
			return err
		}
		if err := h.front.open(after); err != nil {
			return err
		}
		in = after
		mode, why := in.action.Mode(in.cluster.Name)
		h.Log.Info("the new configuration is in force", "mode", mode, "why", why)
	}
}

// replace waits for a new configuration and builds its instance, while the old one goes on.
// What cannot be built now, perhaps for want of an API server, is tried again, as is the wanted
// one, which came before. It returns nil when the old one ended.
func (h *house) replace(ctx context.Context, ended <-chan error, wanted *config.Config, next <-chan config.Config) (*instance, error) {
	var again <-chan time.Time
	if wanted != nil {
		again = time.After(cmp.Or(h.Reload.Retry, retryBuild))
	}
	said := ""
	for {
		select {
		case err := <-ended:
			return nil, err
		case c := <-next:
			wanted = &c
		case <-again:
		}
		limited, cancel := context.WithTimeout(ctx, buildLimit)
		in, err := h.build(limited, *wanted)
		cancel()
		if err == nil {
			h.reload.succeeded(h.Now())
			return in, nil
		}
		if ctx.Err() == nil && err.Error() != said {
			said = err.Error()
			h.refuse(fmt.Errorf("nothing can be run with it yet: %w", err))
		}
		again = time.After(cmp.Or(h.Reload.Retry, retryBuild))
	}
}

func (h *house) refuse(err error) {
	h.reload.failed(err)
	h.Log.Error("the configuration was not taken over; the last good one stays in force", "err", err, "next", "mend it: it is read again by itself")
}
