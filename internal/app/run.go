// Package app wires the rooms into targets, and starts and stops them in order.
//
// Purpose: the one place that chooses a bus, a ledger and the accounts.
//
// Concurrency: one instance is started once; two instances live side by side in one
// process if their data folders differ.
//
// Guarantees: what fails at the start leaves nothing running. Stop is graceful: discover
// first, then what is under way is finished, the ledger last.
//
// It will not: read flags or the environment, or exit the process.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/kubernetes"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/action"
	"github.com/k8guard/k8guard/internal/bus/memory"
	"github.com/k8guard/k8guard/internal/cluster"
	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/control"
	"github.com/k8guard/k8guard/internal/discover"
	"github.com/k8guard/k8guard/internal/enforce"
	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/ledger/sqlite"
	"github.com/k8guard/k8guard/internal/notify"
	"github.com/k8guard/k8guard/internal/notify/email"
	"github.com/k8guard/k8guard/internal/owner"
	"github.com/k8guard/k8guard/internal/rule"
	"github.com/k8guard/k8guard/internal/telemetry"
)

// LedgerFile is the embedded ledger's name in data.dir.
const LedgerFile = "ledger.db"

// Settings is what an instance is made of.
type Settings struct {
	Config          config.Config
	Version, Commit string
	Log             *slog.Logger
	Now             func() time.Time
}

// instance is everything in one process.
type instance struct {
	Settings
	registry *prometheus.Registry
	store    *sqlite.Ledger
	engine   *rule.Engine
	cluster  v1.Cluster
	client   kubernetes.Interface // of discover's account
	discover *discover.Discover
	control  *control.Control
	action   *action.Engine
	enforcer *enforce.Enforcer // nil without an account that may act
	holder   string
}

// Run is the target "run": discover, action and report in one process, over SQLite and an
// in-process bus, until ctx ends.
func Run(ctx context.Context, s Settings) error {
	in := &instance{Settings: s, registry: telemetry.NewRegistry(s.Version, s.Commit), holder: uuid.NewString()}
	if err := os.MkdirAll(s.Config.Data.Dir, 0o700); err != nil {
		return fmt.Errorf("making data.dir: %w", err)
	}
	store, err := sqlite.Open(ctx, filepath.Join(s.Config.Data.Dir, LedgerFile), s.Now)
	if err != nil {
		return err
	}
	in.store = store
	err = in.wire(ctx)
	if err == nil {
		err = in.serve(ctx)
	}
	return errors.Join(err, store.Close())
}

// wire builds the parts, in the order in which they need each other.
func (in *instance) wire(ctx context.Context) error {
	var err error
	if in.engine, err = engine(in.Config); err != nil {
		return err
	}
	rest, err := restConfig(in.Config.Cluster.Kubeconfig, "k8guard-discover")
	if err != nil {
		return err
	}
	if in.client, err = cluster.NewClient(rest); err != nil {
		return err
	}
	watcher, err := cluster.New(cluster.Settings{Client: in.client, Related: in.engine.Related(), OwnerAnnotation: in.Config.Owners.EmailAnnotation, Now: in.Now, Log: in.Log})
	if err != nil {
		return err
	}
	if err := in.identify(ctx, watcher); err != nil {
		return err
	}
	bus := memory.New(4096, 8)
	if err := in.wireDiscover(ctx, watcher, bus); err != nil {
		return err
	}
	in.control = control.New(in.store, in.Now)
	channels, err := in.channels()
	if err != nil {
		return err
	}
	in.action = action.New(action.Settings{Ledger: in.store, Bus: bus, Config: in.Config, Cluster: in.cluster,
		Control: in.control, Channels: channels, Rules: in.engine.Rules(), Holder: in.holder, Now: in.Now, Log: in.Log})
	return in.wireGate(ctx)
}

// identify waits for the API server and learns which cluster it serves.
func (in *instance) identify(ctx context.Context, watcher *cluster.Watcher) error {
	for {
		uid, err := watcher.Identity(ctx)
		if err == nil {
			in.cluster = v1.Cluster{Name: in.Config.Cluster.Name, UID: uid}
			if in.cluster.Name == "" {
				in.cluster.Name = "cluster-" + uid[:min(8, len(uid))]
			}
			return nil
		}
		in.Log.Warn("the API server does not answer; trying again", "err", err, "next", "check cluster.kubeconfig and that the server is up")
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
	}
}

type epoch struct {
	N int64 `json:"n"`
}

func (in *instance) wireDiscover(ctx context.Context, watcher *cluster.Watcher, bus *memory.Bus) error {
	e, err := ledger.UpdateRecord(ctx, in.store, "epoch/"+in.cluster.UID, func(e *epoch) (bool, error) {
		e.N++
		return true, nil
	})
	if err != nil {
		return err
	}
	in.discover, err = discover.New(discover.Settings{Watcher: watcher, Engine: in.engine, Bus: bus, Cluster: in.cluster,
		Epoch: e.N, Resync: in.Config.Discover.Resync, IgnoreNamespaces: in.Config.Discover.IgnoreNamespaces,
		OwnerAnnotation: in.Config.Owners.EmailAnnotation, Addresses: owner.Addresses, Now: in.Now, Log: in.Log, Registerer: in.registry})
	return err
}

func (in *instance) channels() ([]notify.Channel, error) {
	if in.Config.Notify.Email.Host == "" {
		in.Log.Warn("no channel is configured: nobody is told, so nothing is acted on", "next", "set notify.email")
		return nil, nil
	}
	c, err := email.New(in.Config.Notify.Email, in.Now)
	if err != nil {
		return nil, err
	}
	return []notify.Channel{c}, nil
}

// wireGate gives action its gate. Without its account there is none; where the preflight
// fails there is one, for undo, but nothing is acted on.
func (in *instance) wireGate(ctx context.Context) error {
	if in.Config.Cluster.ActionKubeconfig == "" {
		in.action.SetGate(nil, "no account that may act: cluster.actionKubeconfig is empty")
		return nil
	}
	clients, err := newActionClients(in.Config.Cluster.ActionKubeconfig)
	if err != nil {
		return err
	}
	in.enforcer = enforce.New(enforce.Settings{Client: clients.typed, Dynamic: clients.dynamic, Skew: clients.clock.Skew,
		Cluster: in.cluster, Config: in.Config, Store: in.store, Control: in.control, Engine: in.engine, Sight: in.action,
		Holder: in.holder, Now: in.Now, Log: in.Log})
	why := ""
	if in.Config.Enforce.Mode == config.ModeEnforce {
		if err := in.preflight(ctx); err != nil {
			why = "enforcement does not start: " + err.Error()
			in.Log.Error("enforcement does not start", "err", err, "next", "mend it, and start K8Guard again")
		}
	}
	in.action.SetGate(in.enforcer, why)
	return nil
}

// preflight asks three times, each within ten seconds: a server that is only slow must not
// hold up the start, nor keep enforcement off until the next one.
func (in *instance) preflight(ctx context.Context) error {
	var err error
	for try := range 3 {
		if try > 0 {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(2 * time.Second):
			}
		}
		once, cancel := context.WithTimeout(ctx, 10*time.Second)
		err = in.enforcer.Preflight(once, in.client)
		cancel()
		if err == nil {
			return nil
		}
	}
	return err
}

// serve runs the parts until ctx ends or one fails; discover stops first.
func (in *instance) serve(ctx context.Context) error {
	listeners, err := in.listen(ctx)
	if err != nil {
		return err
	}
	handler, err := in.handler()
	if err != nil {
		return errors.Join(err, closeAll(listeners))
	}
	mode, why := in.action.Mode()
	in.Log.Info("K8Guard runs", "cluster", in.cluster.Name, "mode", mode, "why", why, "report", "http://"+listeners[0].Addr().String())
	return together(ctx,
		in.discover.Run,
		func(ctx context.Context) error { in.beat(ctx); return nil },
		func(ctx context.Context) error {
			keep(ctx, in.store, in.Config.Data.Retention, in.Now, in.Log)
			return nil
		},
		in.action.Run,
		func(ctx context.Context) error { return serveHTTP(ctx, listeners[0], handler) },
		func(ctx context.Context) error { return serveHTTP(ctx, listeners[1], in.local(handler)) })
}

// together runs the parts until ctx ends, which is no error, or one fails, which is.
func together(ctx context.Context, parts ...func(context.Context) error) error {
	g, until := errgroup.WithContext(ctx) // ends after Wait in any case: only ctx tells why
	for _, part := range parts {
		g.Go(func() error { return part(until) })
	}
	if err := g.Wait(); err != nil && ctx.Err() == nil {
		return err
	}
	return nil
}
