// Package app wires the rooms into targets, and starts and stops them in order.
//
// Purpose: the one place that chooses a bus, a ledger, a cache and the accounts.
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

	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/action"
	"github.com/k8guard/k8guard/internal/bus"
	"github.com/k8guard/k8guard/internal/bus/memory"
	"github.com/k8guard/k8guard/internal/cache"
	"github.com/k8guard/k8guard/internal/cluster"
	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/control"
	"github.com/k8guard/k8guard/internal/discover"
	"github.com/k8guard/k8guard/internal/enforce"
	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/ledger/sqlite"
	"github.com/k8guard/k8guard/internal/login"
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
	// Flags are what a command line needs to find this K8Guard, such as "--config FILE"; see
	// [report.Settings].
	Flags string
	// Reload says how a running K8Guard takes over a new configuration; nil means never.
	Reload *Reload
}

// instance is everything in one process, under one configuration.
type instance struct {
	Settings
	registry registry
	calls    *telemetry.Calls // of all accounts
	gates    *enforce.Metrics // of the gates of all clusters
	rest     *rest.Config     // of discover's account
	store    ledger.Store
	shown    ledger.Ledger // what the report reads: never in the way of those who write
	engine   *rule.Engine
	cluster  v1.Cluster
	client   kubernetes.Interface // of discover's account
	watcher  *cluster.Watcher
	discover *discover.Discover
	control  *control.Control
	action   *action.Engine
	enforcer *enforce.Enforcer // nil without an account that may act
	barred   error             // why enforcement does not start, as far as it is asked again
	chain    owner.Chain
	holder   string
	pruner   pruner
	ping     func(context.Context) error // asks the ledger whether it is there; nil for a file
	book     *login.Book
	reload   *reloadState // nil in a target that takes no new configuration over
	guard    *login.Guard
	places   places        // of the clusters that action reaches
	images   *images       // nil in a target that watches nothing
	answers  *cache.Cache  // of the report
	waits    func(string)  // told what the start waits for; may be nil
	front    *front        // of a target by itself
	url      string        // where it answers
	hints    chan bus.Hint // of a first K8Guard; nil where none is read
	counted  bool          // the cases in the ledger are among the metrics
}

// Run is the target "run": discover, action and report in one process, over SQLite and an
// in-process bus, until ctx ends.
func Run(ctx context.Context, s Settings) error {
	if err := onePlace(s.Config); err != nil {
		return err
	}
	// First what needs no ledger: a start that is refused for it leaves no file behind.
	path := filepath.Join(s.Config.Data.Dir, LedgerFile)
	if err := errors.Join(startable(s.Config), listenable(ctx, s, path)); err != nil {
		return err
	}
	known, err := openImages(s.Config.Cache)
	if err != nil {
		return err
	}
	return errors.Join(runOver(ctx, s, path, known), known.close())
}

// runOver runs over the ledger in this file, which it makes if there is none.
func runOver(ctx context.Context, s Settings, path string, known *images) error {
	if err := makeDataDir(s.Config.Data.Dir); err != nil {
		return err
	}
	store, err := sqlite.Open(ctx, path, s.Now)
	if err != nil {
		return err
	}
	if err := ledger.Whole(ctx, store); err != nil {
		return errors.Join(err, store.Close())
	}
	shown, err := sqlite.OpenReadOnly(ctx, path)
	if err != nil {
		return errors.Join(err, store.Close())
	}
	return errors.Join(newHouse(s, store, shown, known).live(ctx), shown.Close(), store.Close())
}

func makeDataDir(path string) error {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return fmt.Errorf("making data.dir: %w", err)
	}
	return nil
}

// wire builds the parts, in the order in which they need each other. Nothing runs yet.
func (in *instance) wire(ctx context.Context) error {
	watcher, err := in.wireWatch(ctx)
	if err != nil {
		return err
	}
	if err := in.wireLogin(ctx); err != nil {
		return err
	}
	bus := memory.New(4096, 8)
	if err := in.wireAction(bus, []v1.Cluster{in.cluster}, true); err != nil {
		return err
	}
	if err := errors.Join(in.measureAction(), bus.Measure(in.registry)); err != nil {
		return err
	}
	if err := in.wireGate(ctx); err != nil {
		return err
	}
	// Last: a new epoch outranks the instance that still runs, and must not begin in vain.
	epoch, err := in.control.NextEpoch(ctx, in.cluster.UID)
	if err != nil {
		return err
	}
	in.action.Follow(in.cluster.UID, epoch)
	return in.wireDiscover(watcher, bus, epoch)
}

// wireWatch makes the rules and the watcher, and learns which cluster it watches.
func (in *instance) wireWatch(ctx context.Context) (*cluster.Watcher, error) {
	if err := in.wireRules(); err != nil {
		return nil, err
	}
	if err := in.measureRules(); err != nil {
		return nil, err
	}
	var err error
	if in.rest, err = restConfig(discoverOf(in.Config), in.calls); err != nil {
		return nil, err
	}
	if in.client, err = cluster.NewClient(in.rest); err != nil {
		return nil, err
	}
	watcher, err := cluster.New(cluster.Settings{Client: in.client, Related: in.engine.Related(), OwnerAnnotation: in.Config.Owners.EmailAnnotation, ChatAnnotation: in.Config.Owners.ChatAnnotation,
		WorkloadAnnotation: in.Config.Owners.WorkloadAnnotation, Now: in.Now, Log: in.Log})
	if err != nil {
		return nil, err
	}
	in.watcher = watcher
	return watcher, in.identify(ctx, watcher)
}

// wireRules makes the rules, and who is told of what they find.
func (in *instance) wireRules() error {
	var err error
	if in.engine, err = engine(in.Config); err != nil {
		return err
	}
	in.chain, err = chain(in.Config, ruleIDs(in.engine))
	return err
}

// identify waits for the API server and learns which cluster it serves.
func (in *instance) identify(ctx context.Context, watcher *cluster.Watcher) error {
	uid := ""
	err := in.await(ctx, discoverOf(in.Config), func(ctx context.Context) (err error) {
		uid, err = watcher.Identity(ctx)
		return err
	})
	if err != nil {
		return err
	}
	in.cluster = v1.Cluster{Name: in.Config.Cluster.Name, UID: uid}
	if in.cluster.Name == "" {
		in.cluster.Name = "cluster-" + uid[:min(8, len(uid))]
	}
	return nil
}

func (in *instance) wireDiscover(watcher *cluster.Watcher, to bus.Publisher, epoch int64) error {
	err := in.registry.Register(in.images.cache)
	if err != nil {
		return err
	}
	in.discover, err = discover.New(discover.Settings{Watcher: watcher, Engine: in.engine, Bus: to, Cluster: in.cluster,
		Epoch: epoch, Resync: in.Config.Discover.Resync, IgnoreNamespaces: in.Config.Discover.IgnoreNamespaces,
		Owners: in.owners, Hints: in.hints, Sizes: in.images.book, Now: in.Now, Log: in.Log, Registerer: in.registry})
	return err
}

// run runs the parts until ctx ends or one fails; discover stops first.
func (in *instance) run(ctx context.Context) error {
	return together(ctx, in.discover.Run, func(ctx context.Context) error { in.beat(ctx); return nil },
		in.action.Run,
		func(ctx context.Context) error { in.admitAgain(ctx, retryCluster); return nil },
		func(ctx context.Context) error {
			keep(ctx, in.pruner, in.Config.Data.Retention, in.Now, in.Log)
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
