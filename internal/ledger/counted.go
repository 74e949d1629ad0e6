package ledger

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

const (
	// countAgain is how old the counts of cases may be that a scrape is told: to count them all
	// is the dearest question to a ledger.
	countAgain = 30 * time.Second
	// countLimit is how long one count may take.
	countLimit = 10 * time.Second
)

// Counted tells a scrape how many cases a ledger holds, of all clusters together. It
// implements prometheus.Collector.
type Counted struct {
	from  Projections
	rules []string
	now   func() time.Time

	cases, unresolved, acts, newest, known *prometheus.Desc

	mu   sync.Mutex // held while it counts: scrapes side by side count once
	last Overview
	at   time.Time
	ok   bool
}

// NewCounted counts with these projections. Of rules that are not named, what they found is
// counted as "other".
func NewCounted(from Projections, rules []string, now func() time.Time) *Counted {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, labels, nil)
	}
	return &Counted{from: from, rules: rules, now: now,
		cases:      desc("k8guard_cases", "Cases in the ledger, by status, of all clusters; every report over one ledger tells the same, at most 30 s old.", "status"),
		unresolved: desc("k8guard_unresolved_cases", "Cases in the ledger that are neither standing nor resolved, by rule (other: none of this configuration's).", "rule"),
		acts:       desc("k8guard_ledger_enforcements", "Enforcements in the ledger, by state (done, undone).", "state"),
		newest:     desc("k8guard_newest_observation_timestamp_seconds", "When the newest observation in the ledger was made; 0 where there is none."),
		known:      desc("k8guard_cases_known", "1 where the cases could be counted, else 0."),
	}
}

// Describe implements prometheus.Collector.
func (c *Counted) Describe(to chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{c.cases, c.unresolved, c.acts, c.newest, c.known} {
		to <- desc
	}
}

// Collect implements prometheus.Collector.
func (c *Counted) Collect(to chan<- prometheus.Metric) {
	send := func(desc *prometheus.Desc, value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
	}
	o, ok := c.count()
	if !ok {
		send(c.known, 0)
		return
	}
	send(c.known, 1)
	for _, status := range Statuses() {
		send(c.cases, float64(o.ByStatus[status]), status)
	}
	rest := 0
	for _, n := range o.ByRule {
		rest += n
	}
	for _, rule := range c.rules {
		send(c.unresolved, float64(o.ByRule[rule]), rule)
		rest -= o.ByRule[rule]
	}
	send(c.unresolved, float64(rest), "other")
	send(c.acts, float64(o.Acted), "done")
	send(c.acts, float64(o.Undone), "undone")
	newest := 0.0
	if !o.Newest.IsZero() {
		newest = float64(o.Newest.UnixMilli()) / 1000
	}
	send(c.newest, newest)
}

// count returns the newest counts; false when they could not be had.
func (c *Counted) count() (Overview, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := c.now(); c.at.IsZero() || now.Sub(c.at) >= countAgain || now.Before(c.at) {
		ctx, cancel := context.WithTimeout(context.Background(), countLimit)
		defer cancel()
		o, err := c.from.Overview(ctx, Part{})
		c.last, c.at, c.ok = o, now, err == nil
	}
	return c.last, c.ok
}
