package enforce

import (
	"net/http"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"k8s.io/utils/ptr"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/docket"
)

// counting is a bench that counts, in a registry.
func counting(t *testing.T, answer http.HandlerFunc) (*bench, *Metrics, *prometheus.Registry) {
	t.Helper()
	b, m, registry := newBench(t, nil, "ours", answer), NewMetrics(), prometheus.NewPedanticRegistry()
	if err := m.Measure(registry); err != nil {
		t.Fatal(err)
	}
	b.counts = m.of(b.Cluster.Name)
	return b, m, registry
}

// A refusal is counted by the rule that said no, an undo by how it ended; each series is there
// from the start, and none bears a tenant's word.
func TestWhatTheGateDoesIsCounted(t *testing.T) {
	b, m, registry := counting(t, func(w http.ResponseWriter, _ *http.Request) { say(w, http.StatusOK, broughtBack()) })
	const kinds = 6 // for which there is an act
	if n, err := testutil.GatherAndCount(registry, "k8guard_refusals_total"); err != nil || n != kinds*len(Gate()) {
		t.Errorf("%d series of refusals: %v", n, err)
	}
	key := b.keep("ours", "Deployment", docket.Enforcement{State: docket.Intent})
	if err := b.Settle(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	if n := testutil.ToFloat64(m.refusals.WithLabelValues("prod", "Deployment", "explainable")); n != 1 {
		t.Errorf("%g refusals", n)
	}
	if n := testutil.ToFloat64(m.acts.WithLabelValues("prod", "Deployment", "refused")); n != 1 {
		t.Errorf("%g acts that were refused", n)
	}
	if n, err := testutil.GatherAndCount(registry, "k8guard_refusals_total"); err != nil || n != kinds*len(Gate()) {
		t.Errorf("%d series of refusals: %v", n, err)
	}
	if problems, err := testutil.GatherAndLint(registry); err != nil || len(problems) > 0 {
		t.Errorf("%v, %v", problems, err)
	}
}

func TestAnUndoIsCounted(t *testing.T) {
	b, m, _ := counting(t, func(w http.ResponseWriter, _ *http.Request) { say(w, http.StatusOK, broughtBack()) })
	key := b.keep("ours", "Deployment", docket.Enforcement{State: docket.Undoing, Sending: time.Now(),
		Prior: docket.Prior{ResourceVersion: "5", Replicas: ptr.To[int32](3)}, Undo: &docket.Undo{By: "ada", Ordered: true}})
	if err := b.Settle(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	if n := testutil.ToFloat64(m.undos.WithLabelValues("prod", "Deployment", "done")); n != 1 {
		t.Errorf("%g undos", n)
	}
}

// What a ledger of another version says of a root is no label.
func TestLabelsOfTheGateAreBounded(t *testing.T) {
	_, m, registry := counting(t, status(404, "NotFound"))
	c := m.of("prod")
	c.acted(docket.Docket{Root: v1.Root{Kind: "Hostile\"}"}}, resultDone)
	c.refused(docket.Docket{Root: v1.Root{Kind: "Pod"}}, Refusal{Rule: 99, Name: "hostile"})
	if n := testutil.ToFloat64(m.acts.WithLabelValues("prod", "other", "done")); n != 1 {
		t.Errorf("%g", n)
	}
	if n, err := testutil.GatherAndCount(registry, "k8guard_refusals_total"); err != nil || n != 6*len(Gate()) {
		t.Errorf("%d series: %v", n, err)
	}
	counter{}.refused(docket.Docket{}, Refusal{Rule: 1}) // counts nothing, and harms nothing
	counter{}.undone(docket.Docket{}, resultDone)
}
