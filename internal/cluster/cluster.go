// Package cluster is the only watcher of the Kubernetes API.
//
// Purpose: follow every kind that is audited, have each object judged as it arrives, and
// keep a slim record of it, never the object.
//
// Concurrency: [Watcher.Run] is called once; every other method from any goroutine, before,
// during and after. A [Handler] is called from one goroutine for each kind.
//
// Guarantees: a kind is complete only after a whole list was read and while its watch is
// healthy; after any failure the state is read again before it counts. A record never
// changes. An error names the verb, the resource and what to grant.
//
// It will not: write to a cluster, read secrets, decide whether an object belongs to
// another, or sweep on a timer what a watch already told.
package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/k8guard/k8guard/internal/entity"
)

// Handler is told what the watch sees.
type Handler interface {
	// Judge looks at a whole object, once, on arrival; it must not keep any part of it that
	// is large. Nil means that the object is not under audit.
	Judge(e entity.Entity) *Judgement
	// Changed follows each change of the records: was is nil for a new object, is nil for a
	// deleted one. When the whole kind was read again, it is called for the differences.
	Changed(was, is *Record)
	// StatusChanged says that a kind was read completely, began to fail, or recovered.
	StatusChanged(kind entity.Kind)
}

// Settings is what [New] needs.
type Settings struct {
	// Client reaches the API server; see [NewClient].
	Client kubernetes.Interface
	// Related are kinds to follow beside the judged ones; see [entity.Related].
	Related []entity.Kind
	// OwnerAnnotation is the annotation of a Namespace whose value is kept, and ChatAnnotation
	// another.
	OwnerAnnotation, ChatAnnotation string
	// WorkloadAnnotation is the annotation of any other object whose value is kept; empty is none.
	WorkloadAnnotation string
	// Namespace bounds what is read to one; empty means all.
	Namespace string
	// LongestPause is the longest time between two tries of what fails; zero means ten seconds.
	LongestPause time.Duration
	Now          func() time.Time
	Log          *slog.Logger
}

const longestPause = 10 * time.Second

// Watcher follows one cluster.
type Watcher struct {
	settings Settings
	stores   map[entity.Kind]*store

	mu       sync.Mutex // guards identity
	identity patience
}

// Kinds lists every kind that is watched.
func (w *Watcher) Kinds() []entity.Kind { return append(entity.Kinds(), w.settings.Related...) }

// New checks the settings; it does not talk to the cluster.
func New(s Settings) (*Watcher, error) {
	switch {
	case s.Client == nil:
		return nil, errors.New("cluster: a client is needed; make one with NewClient")
	case s.Now == nil || s.Log == nil:
		return nil, errors.New("cluster: a clock and a logger are needed")
	}
	if s.LongestPause <= 0 {
		s.LongestPause = longestPause
	}
	w := &Watcher{settings: s, stores: map[entity.Kind]*store{}}
	for _, kind := range w.Kinds() {
		w.stores[kind] = newStore(kind, s)
	}
	return w, nil
}

// Run watches until ctx ends, then returns nil when every goroutine has stopped. The kinds
// are independent: one that is denied or failing is retried for ever, and holds up no other.
func (w *Watcher) Run(ctx context.Context, handler Handler) error {
	var running sync.WaitGroup
	for _, kind := range w.Kinds() {
		st := w.stores[kind]
		st.handler = handler
		reflector, err := w.reflector(st)
		if err != nil {
			return err
		}
		running.Go(func() { reflector.RunWithContext(ctx) })
	}
	running.Wait()
	return nil
}

// Get returns one record, or nil.
func (w *Watcher) Get(kind entity.Kind, uid string) *Record {
	if st := w.stores[kind]; st != nil {
		return st.get(uid)
	}
	return nil
}

// Each calls f for every record of a kind at one moment, in no order.
func (w *Watcher) Each(kind entity.Kind, f func(*Record)) {
	st := w.stores[kind]
	if st == nil { // not watched
		return
	}
	for _, r := range st.all() {
		f(r)
	}
}

// Status says how a kind stands; one that is not watched was never listed.
func (w *Watcher) Status(kind entity.Kind) Status {
	if st := w.stores[kind]; st != nil {
		return st.status()
	}
	return Status{Kind: kind}
}

// Identity returns the UID of the kube-system namespace, read now: what a cluster is, however
// it is called.
func (w *Watcher) Identity(ctx context.Context) (string, error) {
	ns, err := w.settings.Client.CoreV1().Namespaces().Get(ctx, metav1.NamespaceSystem, metav1.GetOptions{})
	if apierrors.IsUnauthorized(err) { // whoever waits for it knows where the account comes from
		return "", fmt.Errorf("cluster: get namespaces: %w", err)
	}
	if err != nil {
		w.mu.Lock()
		defer w.mu.Unlock()
		return "", w.identity.explain(w.settings.Now(), "get", "namespaces", err)
	}
	if ns.UID == "" {
		return "", errors.New("cluster: namespace kube-system has no UID; this is not a Kubernetes API server")
	}
	return string(ns.UID), nil
}
