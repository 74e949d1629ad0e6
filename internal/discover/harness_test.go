package discover

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/client-go/kubernetes"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/cluster"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/entity"
	"github.com/k8guard/k8guard/internal/rule"
)

// recorder is a bus that keeps everything.
type recorder struct {
	mu       sync.Mutex
	all      []v1.Message
	latest   map[string]v1.Observation
	heard    map[string]time.Time // "root uid/evidence" when first heard
	requests chan docket.Key
}

func newRecorder() *recorder {
	return &recorder{latest: map[string]v1.Observation{}, heard: map[string]time.Time{}, requests: make(chan docket.Key)}
}

func (r *recorder) Requests() <-chan docket.Key { return r.requests }

func (r *recorder) Publish(_ context.Context, m v1.Message) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, m)
	if o := m.Observation; o != nil {
		r.latest[o.Root.UID] = *o
		for _, evidence := range evidence(*o) {
			if _, known := r.heard[evidence]; !known {
				r.heard[evidence] = time.Now()
			}
		}
	}
	return nil
}

func evidence(o v1.Observation) []string {
	var all []string
	for _, v := range o.Verdicts {
		for _, x := range v.Violations {
			all = append(all, x.Evidence+" "+string(x.From))
		}
	}
	return all
}

func (r *recorder) of(kind, name string) (v1.Observation, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, o := range r.latest {
		if o.Root.Kind == kind && o.Root.Name == name {
			return o, true
		}
	}
	return v1.Observation{}, false
}

// violated names every root whose newest word has a violation.
func (r *recorder) violated() (names []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, o := range r.latest {
		if len(evidence(o)) > 0 {
			names = append(names, o.Root.String())
		}
	}
	return names
}

// inventory joins the newest whole round of buckets.
func (r *recorder) inventory() (kinds []string, hashes map[string]string, judged int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	hashes = map[string]string{}
	left := docket.Buckets
	for i := len(r.all) - 1; i >= 0 && left > 0; i-- {
		if v := r.all[i].Inventory; v != nil {
			left--
			kinds, judged = v.Kinds, v.Judged
			for _, s := range v.Roots {
				hashes[s.UID] = s.Hash
			}
		}
	}
	return kinds, hashes, judged
}

// bad is a rule that finds each container whose image says "bad".
func bad(t testing.TB, more ...rule.Rule) *rule.Engine {
	t.Helper()
	images := rule.Rule{
		Meta: rule.Meta{ID: "BAD_IMAGE", Severity: rule.High, Revision: 1, Kinds: entity.Workloads()},
		Check: func(e entity.Entity, _ rule.Related) (r rule.Result) {
			for c := range e.Containers() {
				if strings.Contains(c.Image, "bad") {
					r.Violations = append(r.Violations, v1.Violation{Source: c.Name, Message: "bad", Evidence: c.Image, Path: c.Path})
				}
			}
			return r
		},
	}
	hosts := rule.Rule{
		Meta: rule.Meta{ID: "BAD_HOST", Severity: rule.Low, Revision: 1, Kinds: []entity.Kind{entity.Ingress, entity.Namespace}},
		Check: func(e entity.Entity, _ rule.Related) (r rule.Result) {
			if strings.Contains(e.Name, "bad") {
				r.Violations = append(r.Violations, v1.Violation{Source: e.Name, Message: "bad", Evidence: e.Name})
			}
			return r
		},
	}
	engine, err := rule.NewEngine(append([]rule.Rule{images, hosts}, more...)...)
	if err != nil {
		t.Fatal(err)
	}
	return engine
}

// people reads the Namespace's annotation.
func people(namespace, _ *cluster.Record) (v1.Owner, map[string]v1.Owner) {
	if namespace == nil || namespace.OwnerAnnotation == "" {
		return v1.Owner{}, nil
	}
	emails := strings.Fields(strings.ToLower(namespace.OwnerAnnotation))
	slices.Sort(emails)
	return v1.Owner{Emails: emails, Platform: true,
		From: fmt.Sprintf("Namespace %s, annotation team/email-ids", namespace.Name)}, nil
}

// run starts an audit that ends with the test.
func run(t testing.TB, client kubernetes.Interface, logs *slog.Logger, change ...func(*Settings)) (*Discover, *recorder) {
	t.Helper()
	if logs == nil {
		logs = slog.New(slog.DiscardHandler)
	}
	w, err := cluster.New(cluster.Settings{Client: client, Related: entity.Related(), OwnerAnnotation: "team/email-ids", Now: time.Now, Log: logs,
		LongestPause: 400 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	r := newRecorder()
	s := Settings{Watcher: w, Engine: bad(t), Bus: r, Cluster: v1.Cluster{Name: "test", UID: "c"}, Epoch: 1,
		Resync: 500 * time.Millisecond, IgnoreNamespaces: []string{"ignored"},
		Owners: people, Now: time.Now, Log: logs, Registerer: prometheus.NewRegistry()}
	for _, f := range change {
		f(&s)
	}
	d, err := New(s)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return d, r
}

func eventually(t testing.TB, what string, within time.Duration, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(within); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("not within %s: %s", within, what)
}

// published counts the observations of a root.
func (r *recorder) published(uid string) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range r.all {
		if m.Observation != nil && m.Observation.Root.UID == uid {
			n++
		}
	}
	return n
}
