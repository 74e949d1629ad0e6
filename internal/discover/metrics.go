package discover

import (
	"errors"
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/cluster"
	"github.com/k8guard/k8guard/internal/entity"
	"github.com/k8guard/k8guard/internal/telemetry"
)

type metrics struct {
	published *prometheus.CounterVec
	judging   prometheus.Histogram
}

// newMetrics registers all that discover says of itself: the first K8Guard's gauges as they
// were, and ours with the name of the cluster, which is the platform's word.
func newMetrics(registry prometheus.Registerer, d *Discover) (*metrics, error) {
	m := &metrics{
		published: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "k8guard_observations_published_total",
			Help: "Observations handed to the bus, by state of the root (live, gone)."}, []string{"state"}),
		judging: prometheus.NewHistogram(telemetry.Seconds("k8guard_judge_duration_seconds",
			"Time to judge one object on arrival.", prometheus.ExponentialBuckets(1e-6, 4, 10))),
	}
	for _, state := range []v1.RootState{v1.Live, v1.Gone} {
		m.published.WithLabelValues(string(state))
	}
	ours := prometheus.WrapRegistererWith(prometheus.Labels{"cluster": d.settings.Cluster.Name}, registry)
	return m, errors.Join(registry.Register(newFirstMetrics(d)), ours.Register(m.published), ours.Register(m.judging), ours.Register(newScrape(d)))
}

// scrape is how things are at the moment of a scrape. Every cell of kind and rule is
// there from the start: what is not there cannot be told from what is not read.
type scrape struct {
	d                                                                   *Discover
	objects, roots, violations, unknown, age, complete, judged, waiting *prometheus.Desc
}

func newScrape(d *Discover) *scrape {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, labels, nil)
	}
	return &scrape{d: d,
		objects:    desc("k8guard_objects", "Objects that are read, by kind; finished Jobs and pods among them.", "kind"),
		roots:      desc("k8guard_roots", "Live roots, by kind.", "kind"),
		violations: desc("k8guard_violations", "Violations found in live roots, by kind of the root, rule, and the rule's severity.", "kind", "rule", "severity"),
		unknown:    desc("k8guard_unknown_verdicts", "Live roots that a rule could not judge, by kind and rule.", "kind", "rule"),
		age:        desc("k8guard_watch_age_seconds", "Time since the watch of a kind last showed life; -1 before it did.", "kind"),
		complete:   desc("k8guard_watch_complete", "1 while a kind is read completely, else 0.", "kind"),
		judged:     desc("k8guard_audit_whole", "1 while every kind is read completely and no watch is silent, else 0."),
		waiting:    desc("k8guard_discover_queue_tasks", "Roots that wait to be evaluated."),
	}
}

// Describe implements prometheus.Collector.
func (s *scrape) Describe(to chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{s.objects, s.roots, s.violations, s.unknown, s.age, s.complete, s.judged, s.waiting} {
		to <- desc
	}
}

// Collect implements prometheus.Collector.
func (s *scrape) Collect(to chan<- prometheus.Metric) {
	send := func(desc *prometheus.Desc, value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
	}
	for _, kind := range s.d.settings.Watcher.Kinds() {
		objects := 0
		s.d.settings.Watcher.Each(kind, func(*cluster.Record) { objects++ })
		send(s.objects, float64(objects), string(kind))
		send(s.age, s.d.age(kind), string(kind))
		send(s.complete, number(s.d.settings.Watcher.Status(kind).Complete), string(kind))
	}
	for _, kind := range entity.Kinds() {
		send(s.roots, float64(s.d.count(kind)), string(kind))
	}
	for _, m := range s.d.settings.Engine.Rules() {
		for _, kind := range foundIn(m.Kinds) {
			t := s.d.found(cell{kind, m.ID})
			send(s.violations, float64(t.violations), string(kind), m.ID, string(m.Severity))
			send(s.unknown, float64(t.unknown), string(kind), m.ID)
		}
	}
	send(s.judged, number(!s.d.Status().Stale))
	send(s.waiting, float64(s.d.waiting()))
}

// foundIn lists the kinds of roots in which a rule may find something: of what it finds in a
// pod, the pod's root is told.
func foundIn(kinds []entity.Kind) []entity.Kind {
	if slices.Contains(kinds, entity.Pod) {
		return entity.Workloads()
	}
	return kinds
}

func number(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

func (d *Discover) age(kind entity.Kind) float64 {
	last := d.settings.Watcher.Status(kind).LastEvent
	if last.IsZero() {
		return -1
	}
	return d.settings.Now().Sub(last).Seconds()
}

// waiting is how many roots wait to be evaluated.
func (d *Discover) waiting() int {
	d.mu.Lock()
	queue := d.queue
	d.mu.Unlock()
	if queue == nil {
		return 0
	}
	return queue.Len()
}
