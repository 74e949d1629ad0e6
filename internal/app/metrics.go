package app

import (
	"errors"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/k8guard/k8guard/internal/enforce"
	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/login"
	"github.com/k8guard/k8guard/internal/telemetry"
)

// registry is what an instance's parts register with, and what a scrape is told.
type registry interface {
	prometheus.Registerer
	prometheus.Gatherer
}

// newInstance makes an instance with metrics of its own, and nothing else.
func newInstance(s Settings) *instance {
	return measured(s, telemetry.NewRegistry(s.Version, s.Commit))
}

func measured(s Settings, to registry) *instance {
	in := &instance{Settings: s, registry: to, calls: telemetry.NewCalls(), gates: enforce.NewMetrics(),
		holder: uuid.NewString(), book: login.NewBook(s.Now)}
	to.MustRegister(in.calls) // the first of its name
	return in
}

// measureRules lets the rules say what they cost.
func (in *instance) measureRules() error {
	cost := telemetry.NewRules(ruleIDs(in.engine), in.Now)
	in.engine = in.engine.Measured(cost)
	return in.registry.Register(cost)
}

// measureAction registers what the engine and the gates count.
func (in *instance) measureAction() error {
	return errors.Join(in.action.Measure(in.registry), in.gates.Measure(in.registry))
}

// measureCases registers what the ledger holds, once for all doors.
func (in *instance) measureCases() error {
	if in.counted {
		return nil
	}
	in.counted = true
	return in.registry.Register(ledger.NewCounted(in.shown, ruleIDs(in.engine), in.Now))
}
