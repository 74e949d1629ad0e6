package telemetry

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Rules times what each rule costs. It implements rule.Meter.
type Rules struct {
	seconds *prometheus.HistogramVec
	of      map[string]prometheus.Observer
	now     func() time.Time
}

// NewRules makes a meter for the rules with these IDs; it is in no registry yet.
func NewRules(ids []string, now func() time.Time) *Rules {
	r := &Rules{of: map[string]prometheus.Observer{}, now: now, seconds: prometheus.NewHistogramVec(Seconds("k8guard_rule_duration_seconds",
		"Time that a rule took to judge one object, by rule.", prometheus.ExponentialBuckets(1e-6, 8, 6)), []string{"rule"})} // to 33 ms
	for _, id := range ids {
		r.of[id] = r.seconds.WithLabelValues(id)
	}
	return r
}

// Now implements rule.Meter.
func (r *Rules) Now() time.Time { return r.now() }

// Took implements rule.Meter. A rule that was not named at the start is not counted.
func (r *Rules) Took(rule string, d time.Duration) {
	if o := r.of[rule]; o != nil {
		o.Observe(d.Seconds())
	}
}

// Describe implements prometheus.Collector.
func (r *Rules) Describe(to chan<- *prometheus.Desc) { r.seconds.Describe(to) }

// Collect implements prometheus.Collector.
func (r *Rules) Collect(to chan<- prometheus.Metric) { r.seconds.Collect(to) }
