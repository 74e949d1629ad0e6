package action

import (
	"context"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/control"
	"github.com/k8guard/k8guard/internal/docket"
)

// scrapeLimit is how long one scrape waits for the ledger.
const scrapeLimit = 5 * time.Second

// scrape is how things are at the moment of a scrape. The switches and budgets are read from
// the ledger, which all replicas share. Clusters are called by the names that the platform
// configured.
type scrape struct {
	e                                                    *Engine
	known, mode, breaker, frozen, doubted, freezes       *prometheus.Desc
	dockets, due, boxes                                  *prometheus.Desc
	judged, violating, age, whole, left, allowed, claims *prometheus.Desc
}

func newScrape(e *Engine) *scrape {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, labels, nil)
	}
	return &scrape{e: e,
		known:     desc("k8guard_switches_known", "1 where breakers and freezes could be read from the ledger at this scrape, else 0."),
		mode:      desc("k8guard_enforcement_mode", "1 for the mode that is in force in a cluster (dry-run, safe, enforce), else 0.", "cluster", "mode"),
		breaker:   desc("k8guard_breaker_open", "1 while the circuit breaker of a cluster is open, else 0.", "cluster"),
		frozen:    desc("k8guard_frozen", "1 while all enforcement in a cluster is frozen, else 0.", "cluster"),
		doubted:   desc("k8guard_ledger_doubted", "1 while nobody is told of a cluster, for the ledger may not be the one that it saw last, else 0.", "cluster"),
		freezes:   desc("k8guard_freezes", "Freezes that are on, by what they freeze (global, cluster, rule).", "scope"),
		dockets:   desc("k8guard_dockets", "Open dockets that this process looks after."),
		due:       desc("k8guard_dockets_due", "Open dockets whose time has come and that nobody works on."),
		boxes:     desc("k8guard_outboxes", "Outboxes that may hold something to be told."),
		judged:    desc("k8guard_inventory_roots", "Roots in the newest inventory of a cluster, told by the process that counts it; 0 while its audit is not whole.", "cluster"),
		violating: desc("k8guard_inventory_violating_roots", "Roots with a violation in the newest inventory of a cluster.", "cluster"),
		age:       desc("k8guard_inventory_age_seconds", "Time since the newest inventory of a cluster came.", "cluster"),
		whole:     desc("k8guard_inventory_whole", "1 where the newest inventory of a cluster misses nothing, else 0.", "cluster"),
		left:      desc("k8guard_budget_acts_left", "Acts that the budget of a cluster still allows, by window (hour, day).", "cluster", "window"),
		allowed:   desc("k8guard_budget_acts_allowed", "Acts that the budget of a cluster allows in all, by window (hour, day).", "cluster", "window"),
		claims:    desc("k8guard_budget_claims", "Acts that wait for the budget's round in a cluster.", "cluster"),
	}
}

// Describe implements prometheus.Collector.
func (s *scrape) Describe(to chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{s.known, s.mode, s.breaker, s.frozen, s.doubted, s.freezes, s.dockets, s.due, s.boxes,
		s.judged, s.violating, s.age, s.whole, s.left, s.allowed, s.claims} {
		to <- desc
	}
}

// Collect implements prometheus.Collector.
func (s *scrape) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeLimit)
	defer cancel()
	send := func(desc *prometheus.Desc, value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
	}
	send(s.dockets, float64(s.e.index.size()))
	send(s.due, float64(s.e.index.overdue(s.e.Now())))
	send(s.boxes, float64(len(s.e.boxes.list())))
	send(s.known, number(s.switches(ctx, send)))
	for uid, a := range s.e.index.audits() {
		if a.name != "" && s.e.answers(a.name, uid) && s.e.index.owns(docket.BucketOf(uid)) {
			s.audit(ctx, uid, a, send)
		}
	}
}

// send hands out one value.
type send func(desc *prometheus.Desc, value float64, labels ...string)

// switches reports whether the switches could be read.
func (s *scrape) switches(ctx context.Context, send send) bool {
	controls, err := s.e.controls(ctx)
	if err != nil {
		return false
	}
	freezes, err := s.e.Control.Freezes(ctx)
	if err != nil {
		return false
	}
	for cluster, c := range controls {
		for _, mode := range []string{config.ModeDryRun, config.ModeSafe, config.ModeEnforce} {
			send(s.mode, number(c.Mode == mode), cluster, mode)
		}
		send(s.breaker, number(c.Breaker != ""), cluster)
		send(s.frozen, number(c.Frozen != ""), cluster)
		send(s.doubted, number(c.Doubt != ""), cluster)
	}
	count := map[string]int{}
	for _, f := range freezes {
		kind, _, _ := strings.Cut(f.Scope, "/")
		count[kind]++
	}
	for _, kind := range []string{"global", "cluster", "rule"} {
		send(s.freezes, float64(count[kind]), kind)
	}
	return true
}

// audit tells of a cluster by its newest inventory, and of its budget.
func (s *scrape) audit(ctx context.Context, uid string, a audit, send send) {
	now := s.e.Now()
	send(s.judged, float64(a.judged), a.name)
	send(s.violating, float64(a.violating), a.name)
	send(s.age, now.Sub(a.at).Seconds(), a.name)
	send(s.whole, number(a.missing == ""), a.name)
	b, err := s.e.Control.Budget(ctx, uid)
	if err != nil {
		return // the ledger's own metrics say so
	}
	limits := s.e.Config.Enforce.Budget
	hour, day := b.Spent(now)
	allowed := control.HourLimit(limits, a.judged)
	send(s.left, float64(max(0, allowed-hour)), a.name, "hour")
	send(s.left, float64(max(0, limits.PerDay-day)), a.name, "day")
	send(s.allowed, float64(allowed), a.name, "hour")
	send(s.allowed, float64(limits.PerDay), a.name, "day")
	send(s.claims, float64(len(b.Claims)), a.name)
}

func number(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
