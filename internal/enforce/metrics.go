package enforce

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/entity"
	"github.com/k8guard/k8guard/internal/policy"
)

// How an enforcement or an undo ended. What is open is settled later, and counted then.
const (
	resultDone    = "done"
	resultRefused = "refused"
	resultUnclear = "unclear"
	resultStopped = "stopped"
)

// Metrics is what the gates of all clusters count together. The zero value of a label is
// counted from the start, so that the first act is seen as an increase.
type Metrics struct {
	acts, refusals, undos *prometheus.CounterVec
}

// NewMetrics returns metrics that are in no registry yet.
func NewMetrics() *Metrics {
	vec := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, append([]string{"cluster", "kind"}, labels...))
	}
	return &Metrics{
		acts:     vec("k8guard_enforcements_total", "Enforcements that ended, by cluster, kind of the root and result (done, refused, unclear).", "result"),
		refusals: vec("k8guard_refusals_total", "Times that the gate said no, by cluster, kind of the root and reason: the name of the gate's rule.", "reason"),
		undos:    vec("k8guard_undos_total", "Undos that ended, by cluster, kind of the root and result (done, stopped).", "result"),
	}
}

// Measure registers them.
func (m *Metrics) Measure(registry prometheus.Registerer) error {
	return errors.Join(registry.Register(m.acts), registry.Register(m.refusals), registry.Register(m.undos))
}

// of is what one cluster's gate counts; of nil, nothing.
func (m *Metrics) of(cluster string) counter {
	if m == nil {
		return counter{}
	}
	c := counter{m, cluster}
	for _, kind := range actedOn() {
		for _, result := range []string{resultDone, resultRefused, resultUnclear} {
			m.acts.WithLabelValues(cluster, kind, result)
		}
		for _, r := range Gate() {
			m.refusals.WithLabelValues(cluster, kind, r.Name)
		}
		for _, result := range []string{resultDone, resultStopped} {
			m.undos.WithLabelValues(cluster, kind, result)
		}
	}
	return c
}

// actedOn lists the kinds for which there is an act.
func actedOn() (kinds []string) {
	for _, k := range entity.Kinds() {
		if policy.Action(string(k)) != "" {
			kinds = append(kinds, string(k))
		}
	}
	return kinds
}

// counter counts for one cluster; the zero one does not.
type counter struct {
	m       *Metrics
	cluster string
}

func (c counter) acted(d docket.Docket, result string) {
	if c.m != nil {
		c.m.acts.WithLabelValues(c.cluster, kindOf(d), result).Inc()
	}
}

func (c counter) refused(d docket.Docket, r Refusal) {
	c.acted(d, resultRefused)
	for _, known := range Gate() {
		if c.m != nil && known.Number == r.Rule {
			c.m.refusals.WithLabelValues(c.cluster, kindOf(d), known.Name).Inc()
		}
	}
}

func (c counter) undone(d docket.Docket, result string) {
	if c.m != nil {
		c.m.undos.WithLabelValues(c.cluster, kindOf(d), result).Inc()
	}
}

// kindOf bounds what a ledger of another version may hold.
func kindOf(d docket.Docket) string {
	for _, k := range entity.Kinds() {
		if string(k) == d.Root.Kind {
			return d.Root.Kind
		}
	}
	return "other"
}
