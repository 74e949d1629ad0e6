// Package discover says what is wrong in a cluster now: one observation for each root.
//
// Purpose: join what the watch sees (a Deployment's template and its live pods) into one
// verdict a root, publish it when it changed or was asked for, and publish inventories.
//
// Concurrency: [Discover.Run] is called once; [Discover.Status] from any goroutine. One
// worker evaluates and publishes, so orders rise in the order of publication.
//
// Guarantees: the same state gives the same hash. No root is called gone, and no kind is in
// an inventory, unless everything that decides it was read completely. A pod counts for a
// Deployment only if the whole chain of ownership holds. Clean roots cost no message.
//
// It will not: write to a cluster, choose a bus, notify, remember anything across a
// restart, or believe an owner reference.
package discover

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/client-go/util/workqueue"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/bus"
	"github.com/k8guard/k8guard/internal/cluster"
	"github.com/k8guard/k8guard/internal/entity"
	"github.com/k8guard/k8guard/internal/rule"
)

// Sizes remembers how large images are, for a kubelet reports only some and forgets. What it
// says may be wrong, and is for notices only.
type Sizes interface {
	// Saw is told what a node reports. It does not wait.
	Saw(*entity.Stored)
	// Size is what a node of this runtime and platform reported of the digest.
	Size(runtime, platform, digest string) (bytes int64, ok bool)
}

// Settings is what [New] needs. All of it is required but IgnoreNamespaces, StaleAfter, Again,
// Hints and Sizes.
type Settings struct {
	Watcher *cluster.Watcher
	Engine  *rule.Engine
	Bus     bus.Publisher
	Cluster v1.Cluster
	// Epoch is of this leadership; every later one must be higher.
	Epoch int64
	// Resync is the time between two inventories.
	Resync time.Duration
	// StaleAfter is how long a watch may be silent before its kind counts as not read; zero
	// means three minutes. Bookmarks come about once a minute.
	StaleAfter time.Duration
	// Again is how long after a Deployment's spec changed what is wrong with it is said once
	// more: the first word may come too soon after an act to tell. Zero means ten seconds.
	Again time.Duration
	// IgnoreNamespaces are exact names that are not judged.
	IgnoreNamespaces []string
	// Owners says who is told of a root, and of what single rules find in it. The namespace is
	// nil where it was not read.
	Owners func(namespace, root *cluster.Record) (v1.Owner, map[string]v1.Owner)
	// Hints are of objects that a stranger says are worth another look; nil means none.
	Hints <-chan bus.Hint
	// Sizes is asked for what a pod's node does not report any more; nil knows nothing.
	Sizes      Sizes
	Now        func() time.Time
	Log        *slog.Logger
	Registerer prometheus.Registerer
}

// Discover audits one cluster.
type Discover struct {
	settings Settings
	ignored  map[string]bool
	looked   map[entity.Kind]bool // the kinds that rules look up
	memo     *memo
	metrics  *metrics
	queue    workqueue.TypedDelayingInterface[task] // made by Run, under mu

	mu         sync.Mutex
	children   map[string]map[string]*cluster.Record // by the UID of the claimed controller
	roots      map[key]state
	namespaces map[string]*cluster.Record           // by name
	places     map[place]map[string]*cluster.Record // what rules look up, by UID
	nodes      map[string]*cluster.Record           // by name
	swept      map[entity.Kind]mode
	counts     map[entity.Kind]int
	census     census

	seq int64 // of the worker alone
}

// New checks the settings and registers the metrics.
func New(s Settings) (*Discover, error) {
	switch {
	case s.Watcher == nil || s.Engine == nil || s.Bus == nil || s.Owners == nil:
		return nil, errors.New("discover: a watcher, an engine, a bus and who owns are needed")
	case s.Cluster.UID == "":
		return nil, errors.New("discover: the cluster's identity is needed; read it with cluster.Watcher.Identity")
	case s.Resync <= 0:
		return nil, errors.New("discover: the resync must be longer than zero")
	case s.Now == nil || s.Log == nil || s.Registerer == nil:
		return nil, errors.New("discover: a clock, a logger and a metrics registry are needed")
	}
	if s.StaleAfter <= 0 {
		s.StaleAfter = staleAfter
	}
	if s.Again <= 0 {
		s.Again = again
	}
	d := &Discover{
		settings: s, ignored: map[string]bool{}, memo: newMemo(),
		children:   map[string]map[string]*cluster.Record{},
		namespaces: map[string]*cluster.Record{},
		places:     map[place]map[string]*cluster.Record{}, nodes: map[string]*cluster.Record{}, looked: map[entity.Kind]bool{},
		roots: map[key]state{}, swept: map[entity.Kind]mode{}, counts: map[entity.Kind]int{}, census: census{},
	}
	for _, name := range s.IgnoreNamespaces {
		d.ignored[name] = true
	}
	for _, kind := range entity.Kinds() {
		for _, read := range s.Engine.Reads(kind) {
			d.looked[read] = true
		}
	}
	var err error
	d.metrics, err = newMetrics(s.Registerer, d)
	return d, err
}

// Run audits until ctx ends, then returns nil when every goroutine has stopped.
func (d *Discover) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	d.mu.Lock()
	d.queue = workqueue.NewTypedDelayingQueue[task]() // it has a goroutine of its own until shut down
	d.mu.Unlock()
	var running sync.WaitGroup
	running.Go(func() { d.work(ctx) })
	running.Go(func() { d.ask(ctx) })
	running.Go(func() {
		<-ctx.Done()
		d.queue.ShutDown()
	})
	err := d.settings.Watcher.Run(ctx, d)
	cancel()
	running.Wait()
	return err
}

// ask turns time and requests into tasks.
func (d *Discover) ask(ctx context.Context) {
	ticker := time.NewTicker(d.settings.Resync)
	defer ticker.Stop()
	hints := hints{from: d.settings.Hints}
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			d.queue.Add(task{op: takeInventory})
		case k, open := <-d.settings.Bus.Requests():
			if !open {
				<-ctx.Done()
				return
			}
			if k.Cluster == d.settings.Cluster.UID {
				d.queue.Add(task{op: answer, key: key{uid: k.Root}})
			}
		case h := <-hints.more():
			if h.Cluster == "" || h.Cluster == d.settings.Cluster.Name {
				hints.add(h)
			}
		case <-hints.due:
			d.look(hints.take())
		}
	}
}
