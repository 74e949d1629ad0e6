package app

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"net/http"
	"path/filepath"
	"slices"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/control"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/ledger/sqlite"
	"github.com/k8guard/k8guard/internal/report"
)

// Discover is the target "discover" by itself: it watches and serves what it sees, and
// needs neither bus nor ledger. It writes nothing to the cluster, not even a Lease.
// With Kafka it tells action what it sees, and several replicas agree on one that leads.
func Discover(ctx context.Context, s Settings) error {
	if s.Config.Bus.Kind == config.BusKafka {
		return discoverApart(ctx, s)
	}
	in := newInstance(s)
	known, err := openImages(s.Config.Cache)
	if err != nil {
		return err
	}
	in.images = known
	return errors.Join(in.early(ctx, in.discoverAlone), known.close())
}

// discoverAlone is the rest of it.
func (in *instance) discoverAlone(ctx context.Context) error {
	watcher, err := in.wireWatch(ctx)
	if err != nil {
		return err
	}
	if err := in.wireDiscover(watcher, nobody{}, 1); err != nil {
		return err
	}
	if err := in.wireLogin(ctx); err != nil {
		return err
	}
	return in.alone(ctx, in.guard.Wrap(in.guard.All(in.routes(in.discoverRoutes()))), in.discover.Run, in.images.run)
}

// discoverRoutes is all that the target serves.
func (in *instance) discoverRoutes() map[string]http.Handler {
	routes := in.firstRoutes()
	maps.Copy(routes, in.machines(in.guard))
	return routes
}

// Report is the target "report": pages over a ledger that is there, read-only. A K8Guard
// that writes it may run beside.
// Over Cassandra it takes people's orders too.
func Report(ctx context.Context, s Settings) error {
	if s.Config.Ledger.Kind == config.LedgerCassandra {
		return reportApart(ctx, s)
	}
	store, err := sqlite.OpenReadOnly(ctx, filepath.Join(s.Config.Data.Dir, LedgerFile))
	if err != nil {
		return err
	}
	in := newInstance(s)
	in.store, in.shown, in.control = store, store, control.New(store, s.Now)
	return errors.Join(in.early(ctx, in.show), store.Close())
}

// show serves the pages, and nothing else.
func (in *instance) show(ctx context.Context) error {
	var err error
	if in.engine, err = engine(in.Config); err != nil {
		return err
	}
	if err := errors.Join(in.learnCluster(ctx), in.wireLogin(ctx)); err != nil {
		return err
	}
	pages, err := in.handler(in.guard)
	if err != nil {
		return err
	}
	return in.alone(ctx, pages)
}

// named puts the cluster's name before what is logged; a report alone may know of none.
func (in *instance) named(attrs ...any) []any {
	if name := cmp.Or(in.cluster.Name, in.Config.Cluster.Name); name != "" {
		return append([]any{"cluster", name}, attrs...)
	}
	return attrs
}

// configured are the names of the clusters that this report is about; none means all.
func configured(c config.Config) (names []string) {
	for _, one := range namedClusters(c) {
		if one.Name != "" {
			names = append(names, one.Name)
		}
	}
	return names
}

// nobody is the bus of a discover that tells nobody.
type nobody struct{}

// Publish implements bus.Publisher.
func (nobody) Publish(context.Context, v1.Message) error { return nil }

// Requests implements bus.Publisher: there are none.
func (nobody) Requests() <-chan docket.Key { return nil }

// errReadOnly is the answer of a report that runs by itself to whoever wants to change something.
var errReadOnly = errors.New("this report only reads; ask the K8Guard that runs: k8guard undo, freeze, unfreeze")

// reader is the desk of a report without an action beside it.
type reader struct{ in *instance }

func (reader) Undo(context.Context, string, string, string, bool) (string, error) {
	return "", errReadOnly
}
func (reader) Freeze(context.Context, string, string, string) error   { return errReadOnly }
func (reader) Unfreeze(context.Context, string, string, string) error { return errReadOnly }

// Status says what the ledger knows; of the cluster, the report by itself sees nothing.
func (r reader) Status(ctx context.Context) (report.Status, error) {
	s := report.Status{Mode: "report only", Enforcement: "not seen from here: this report only reads the ledger",
		Cluster: r.in.Config.Cluster.Name, Permit: "not read: this report holds no Kubernetes account"}
	if err := switches(ctx, r.in.control, configured(r.in.Config), r.in.Now(), &s); err != nil {
		return s, err
	}
	s.Stale = slices.ContainsFunc(s.Clusters, func(c report.Cluster) bool { return c.Stale != "" })
	known, err := r.in.shown.Overview(ctx, ledger.Part{})
	if err != nil {
		return s, err
	}
	s.Observed = known.Newest
	if !known.Newest.IsZero() {
		s.WatchAge = r.in.Now().Sub(known.Newest)
	}
	return s, nil
}
