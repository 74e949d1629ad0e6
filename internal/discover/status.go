package discover

import (
	"errors"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/k8guard/k8guard/internal/cluster"
	"github.com/k8guard/k8guard/internal/entity"
)

// staleAfter is the default of Settings.StaleAfter.
const staleAfter = 3 * time.Minute

// Status is how the audit stands.
type Status struct {
	Kinds []cluster.Status
	// Oldest is the longest silence of any watch; it counts from nothing for a kind that was
	// never heard of, and is then left out.
	Oldest time.Duration
	// Stale is true when a kind is not complete or silent for more than Settings.StaleAfter.
	Stale bool
	// Judged counts the live roots.
	Judged int
}

// Status says how the audit stands now.
func (d *Discover) Status() Status {
	var s Status
	now := d.settings.Now()
	for _, kind := range d.settings.Watcher.Kinds() {
		st := d.settings.Watcher.Status(kind)
		s.Kinds = append(s.Kinds, st)
		s.Judged += d.count(kind)
		if !st.LastEvent.IsZero() {
			s.Oldest = max(s.Oldest, now.Sub(st.LastEvent))
		}
		s.Stale = s.Stale || !st.Complete
	}
	s.Stale = s.Stale || s.Oldest > d.settings.StaleAfter
	return s
}

// Missing names the kinds that are not read completely or whose watch is silent, or "".
func (s Status) Missing() string {
	var names []string
	for _, k := range s.Kinds {
		switch {
		case k.Err != nil:
			names = append(names, string(k.Kind)+" ("+k.Err.Error()+")")
		case !k.Complete:
			names = append(names, string(k.Kind)+" (not read yet)")
		}
	}
	if len(names) == 0 && s.Stale {
		return "a watch is silent"
	}
	return strings.Join(names, ", ")
}

type metrics struct {
	published *prometheus.CounterVec
	judging   prometheus.Histogram
}

func newMetrics(registry prometheus.Registerer, d *Discover) (*metrics, error) {
	m := &metrics{
		published: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "k8guard_observations_published_total",
			Help: "Observations handed to the bus, by state of the root (live, gone)."}, []string{"state"}),
		judging: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "k8guard_judge_duration_seconds",
			Help: "Time to judge one object on arrival.", Buckets: prometheus.ExponentialBuckets(1e-6, 4, 10)}),
	}
	errs := []error{registry.Register(m.published), registry.Register(m.judging), registry.Register(newFirstMetrics(d))}
	for _, kind := range d.settings.Watcher.Kinds() {
		labels := prometheus.Labels{"kind": string(kind)}
		errs = append(errs, registry.Register(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "k8guard_watch_age_seconds",
			Help: "Time since the watch of a kind last showed life; -1 before it did.", ConstLabels: labels},
			func() float64 { return d.age(kind) })))
	}
	for _, kind := range entity.Kinds() {
		labels := prometheus.Labels{"kind": string(kind)}
		errs = append(errs, registry.Register(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "k8guard_roots",
			Help: "Live roots, by kind.", ConstLabels: labels}, func() float64 { return float64(d.count(kind)) })))
	}
	return m, errors.Join(errs...)
}

func (d *Discover) age(kind entity.Kind) float64 {
	last := d.settings.Watcher.Status(kind).LastEvent
	if last.IsZero() {
		return -1
	}
	return d.settings.Now().Sub(last).Seconds()
}
