package action

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/k8guard/k8guard/internal/control"
	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/notify"
)

// measured registers what the world's engine knows.
func (w *world) measured() *prometheus.Registry {
	w.Helper()
	registry := prometheus.NewPedanticRegistry()
	must(w, w.engine.Measure(registry))
	return registry
}

// Every switch, the budget and the audit are told as they are at the scrape.
func TestWhatHoldsTheEngineIsMeasured(t *testing.T) {
	w := newWorld(t)
	registry := w.measured()
	const still = `
# HELP k8guard_breaker_open 1 while the circuit breaker of a cluster is open, else 0.
# TYPE k8guard_breaker_open gauge
k8guard_breaker_open{cluster="test"} 0
# HELP k8guard_budget_acts_allowed Acts that the budget of a cluster allows in all, by window (hour, day).
# TYPE k8guard_budget_acts_allowed gauge
k8guard_budget_acts_allowed{cluster="test",window="day"} 20
k8guard_budget_acts_allowed{cluster="test",window="hour"} 1
# HELP k8guard_budget_acts_left Acts that the budget of a cluster still allows, by window (hour, day).
# TYPE k8guard_budget_acts_left gauge
k8guard_budget_acts_left{cluster="test",window="day"} 20
k8guard_budget_acts_left{cluster="test",window="hour"} 1
# HELP k8guard_enforcement_mode 1 for the mode that is in force in a cluster (dry-run, safe, enforce), else 0.
# TYPE k8guard_enforcement_mode gauge
k8guard_enforcement_mode{cluster="test",mode="dry-run"} 0
k8guard_enforcement_mode{cluster="test",mode="enforce"} 1
k8guard_enforcement_mode{cluster="test",mode="safe"} 0
# HELP k8guard_freezes Freezes that are on, by what they freeze (global, cluster, rule).
# TYPE k8guard_freezes gauge
k8guard_freezes{scope="cluster"} 0
k8guard_freezes{scope="global"} 0
k8guard_freezes{scope="rule"} 0
# HELP k8guard_frozen 1 while all enforcement in a cluster is frozen, else 0.
# TYPE k8guard_frozen gauge
k8guard_frozen{cluster="test"} 0
`
	names := []string{"k8guard_breaker_open", "k8guard_budget_acts_allowed", "k8guard_budget_acts_left", "k8guard_enforcement_mode", "k8guard_freezes", "k8guard_frozen"}
	must(t, testutil.GatherAndCompare(registry, strings.NewReader(still), names...))
	must(t, w.engine.Control.Trip(t.Context(), cluster(), "two undos"))
	for _, scope := range []string{"cluster/test", "rule/IMAGE_REPO", "rule/OTHER"} {
		must(t, w.engine.Control.Freeze(t.Context(), scope, "ada", "x"))
	}
	w.sees("web")
	w.pass(17 * time.Hour)
	held := strings.NewReplacer(`k8guard_breaker_open{cluster="test"} 0`, `k8guard_breaker_open{cluster="test"} 1`, `k8guard_frozen{cluster="test"} 0`, `k8guard_frozen{cluster="test"} 1`,
		`{scope="cluster"} 0`, `{scope="cluster"} 1`, `{scope="rule"} 0`, `{scope="rule"} 2`).Replace(still)
	must(t, testutil.GatherAndCompare(registry, strings.NewReader(held), names...))
	for _, scope := range []string{"cluster/test", "rule/IMAGE_REPO"} {
		must(t, w.engine.Control.Unfreeze(t.Context(), scope))
	}
	must(t, w.engine.Control.Close(t.Context(), "", "ada", "mended"))
	w.pass(3 * time.Hour)
	spent := strings.NewReplacer(`{cluster="test",window="day"} 20
k8guard_budget_acts_left`, `{cluster="test",window="day"} 19
k8guard_budget_acts_left`, `{scope="rule"} 0`, `{scope="rule"} 1`).Replace(still)
	if len(w.gate.calls) != 1 {
		t.Fatalf("acts: %+v", w.gate.calls)
	}
	must(t, testutil.GatherAndCompare(registry, strings.NewReader(spent), "k8guard_budget_acts_left", "k8guard_freezes", "k8guard_breaker_open", "k8guard_frozen"))
}

// Each try is counted by how it ended.
func TestNoticesAreCounted(t *testing.T) {
	w := newWorld(t)
	registry := w.measured()
	w.mail.script = []notify.OutcomeState{notify.Failed, notify.Confirmed, notify.Unknown}
	w.sees("web")
	w.pass(16 * time.Hour)
	if len(w.mail.sent) < 3 {
		t.Fatalf("%d tries", len(w.mail.sent))
	}
	got := map[string]float64{}
	for _, result := range []string{"sent", "retried", "failed", "unknown"} {
		got[result] = testutil.ToFloat64(w.engine.metrics.notices.WithLabelValues("email", result))
	}
	if got["retried"] != 1 || got["unknown"] != 1 || got["failed"] != 0 || got["sent"] != float64(len(w.mail.sent)-2) {
		t.Errorf("%v of %d tries", got, len(w.mail.sent))
	}
	if n, err := testutil.GatherAndCount(registry, "k8guard_notices_total"); err != nil || n != 4 {
		t.Errorf("%d series: %v", n, err)
	}
	if problems, err := testutil.GatherAndLint(registry); err != nil || len(problems) > 0 {
		t.Errorf("%v, %v", problems, err)
	}
}

// Where the ledger does not answer, no switch is told to be off: it says that it does not know.
func TestAnUnreadableLedgerIsSaid(t *testing.T) {
	w := newWorld(t)
	w.engine.Control = control.New(silentLedger{}, w.now)
	registry := w.measured()
	if err := testutil.GatherAndCompare(registry, strings.NewReader(`
# HELP k8guard_switches_known 1 where breakers and freezes could be read from the ledger at this scrape, else 0.
# TYPE k8guard_switches_known gauge
k8guard_switches_known 0
`), "k8guard_switches_known", "k8guard_breaker_open", "k8guard_frozen", "k8guard_budget_acts_left"); err != nil {
		t.Error(err)
	}
}

var errAway = errors.New("the ledger is away")

// silentLedger is a ledger whose records cannot be read.
type silentLedger struct{}

func (silentLedger) Get(context.Context, string) (ledger.Record, error) {
	return ledger.Record{}, errAway
}
func (silentLedger) Put(context.Context, ledger.Record) (int64, error) { return 0, errAway }
