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

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/action"
	"github.com/k8guard/k8guard/internal/bus"
	"github.com/k8guard/k8guard/internal/bus/memory"
	"github.com/k8guard/k8guard/internal/cluster"
	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/control"
	"github.com/k8guard/k8guard/internal/discover"
	"github.com/k8guard/k8guard/internal/enforce"
	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/ledger/sqlite"
	"github.com/k8guard/k8guard/internal/login"
	"github.com/k8guard/k8guard/internal/notify"
	"github.com/k8guard/k8guard/internal/notify/email"
	"github.com/k8guard/k8guard/internal/owner"
	"github.com/k8guard/k8guard/internal/rule"
)

// LedgerFile is the embedded ledger's name in data.dir.
const LedgerFile = "ledger.db"

// Settings is what an instance is made of.
type Settings struct {
	Config          config.Config
	Version, Commit string
	Log             *slog.Logger
	Now             func() time.Time
	// Reload says how a running K8Guard takes over a new configuration; nil means never.
	Reload *Reload
}

// instance is everything in one process, under one configuration.
type instance struct {
	Settings
	registry *prometheus.Registry
	rest     *rest.Config // of discover's account
	store    *sqlite.Ledger
	engine   *rule.Engine
	cluster  v1.Cluster
	client   kubernetes.Interface // of discover's account
	watcher  *cluster.Watcher
	discover *discover.Discover
	control  *control.Control
	action   *action.Engine
	enforcer *enforce.Enforcer // nil without an account that may act
	chain    owner.Chain
	holder   string
	book     *login.Book
	guard    *login.Guard
	waits    func(string) // told what the start waits for; may be nil
}

// Run is the target "run": discover, action and report in one process, over SQLite and an
// in-process bus, until ctx ends.
func Run(ctx context.Context, s Settings) error {
	if err := os.MkdirAll(s.Config.Data.Dir, 0o700); err != nil {
		return fmt.Errorf("making data.dir: %w", err)
	}
	store, err := sqlite.Open(ctx, filepath.Join(s.Config.Data.Dir, LedgerFile), s.Now)
	if err != nil {
		return err
	}
	return errors.Join(newHouse(s, store).live(ctx), store.Close())
}

// wire builds the parts, in the order in which they need each other. Nothing runs yet.
func (in *instance) wire(ctx context.Context) error {
	watcher, err := in.wireWatch(ctx)
	if err != nil {
		return err
	}
	e, err := in.raiseEpoch(ctx)
	if err != nil {
		return err
	}
	if err := in.wireLogin(ctx); err != nil {
		return err
	}
	bus := memory.New(4096, 8)
	if err := in.wireDiscover(watcher, bus, e); err != nil {
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

// wireWatch makes the rules and the watcher, and learns which cluster it watches.
func (in *instance) wireWatch(ctx context.Context) (*cluster.Watcher, error) {
	var err error
	if in.engine, err = engine(in.Config); err != nil {
		return nil, err
	}
	if in.chain, err = chain(in.Config, ruleIDs(in.engine)); err != nil {
		return nil, err
	}
	if in.rest, err = restConfig(in.Config.Cluster.Kubeconfig, "k8guard-discover"); err != nil {
		return nil, err
	}
	if in.client, err = cluster.NewClient(in.rest); err != nil {
		return nil, err
	}
	watcher, err := cluster.New(cluster.Settings{Client: in.client, Related: in.engine.Related(), OwnerAnnotation: in.Config.Owners.EmailAnnotation,
		WorkloadAnnotation: in.Config.Owners.WorkloadAnnotation, Now: in.Now, Log: in.Log})
	if err != nil {
		return nil, err
	}
	in.watcher = watcher
	return watcher, in.identify(ctx, watcher)
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
		if in.waits != nil {
			in.waits("not ready: the API server does not answer; check cluster.kubeconfig and that the server is up; K8Guard's log has the error")
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

// raiseEpoch counts the starts in the ledger: a later one outranks what was said before.
func (in *instance) raiseEpoch(ctx context.Context) (int64, error) {
	e, err := ledger.UpdateRecord(ctx, in.store, "epoch/"+in.cluster.UID, func(e *epoch) (bool, error) {
		e.N++
		return true, nil
	})
	return e.N, err
}

func (in *instance) wireDiscover(watcher *cluster.Watcher, to bus.Publisher, epoch int64) error {
	var err error
	in.discover, err = discover.New(discover.Settings{Watcher: watcher, Engine: in.engine, Bus: to, Cluster: in.cluster,
		Epoch: epoch, Resync: in.Config.Discover.Resync, IgnoreNamespaces: in.Config.Discover.IgnoreNamespaces,
		Owners: in.owners, Now: in.Now, Log: in.Log, Registerer: in.registry})
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
		Cluster: in.cluster, Config: in.Config, Teams: in.chain.Teams, Store: in.store, Control: in.control, Engine: in.engine, Sight: in.action,
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
// hold up the start, nor keep enforcement off until the next one. Nor must one that has not
// read its roles yet: it is asked for ten seconds.
func (in *instance) preflight(ctx context.Context) error {
	var err error
	from := time.Now()
	for try := 0; try < 3 || apierrors.IsForbidden(err) && time.Since(from) < 10*time.Second; try++ {
		if try > 0 {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(2 * time.Second):
			}
		}
		once, cancel := context.WithTimeout(ctx, 10*time.Second)
		if err = in.enforcer.Preflight(once, in.client); err == nil {
			err = in.authority(once, in.rest)
		}
		cancel()
		if err == nil {
			return nil
		}
	}
	return err
}

// run runs the parts until ctx ends or one fails; discover stops first.
func (in *instance) run(ctx context.Context) error {
	return together(ctx, in.discover.Run, func(ctx context.Context) error { in.beat(ctx); return nil },
		func(ctx context.Context) error { in.vital(ctx); return nil }, in.action.Run,
		func(ctx context.Context) error {
			keep(ctx, in.store, in.Config.Data.Retention, in.Now, in.Log)
			return nil
		})
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
