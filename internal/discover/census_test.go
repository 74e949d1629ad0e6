package discover

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/entity"
)

// What was found in a root is counted once, moves with it, and goes with it.
func TestCensus(t *testing.T) {
	c := census{}
	was := findingsOf(v1.Observation{Verdicts: []v1.Verdict{{Rule: "A", State: v1.Violated, Violations: make([]v1.Violation, 3)},
		{Rule: "B", State: v1.Unknown}, {Rule: "C", State: v1.Pass}}})
	if len(was) != 2 {
		t.Fatalf("%+v", was)
	}
	c.moveLocked(entity.Pod, nil, was)
	c.moveLocked(entity.Pod, nil, was) // another root
	if c[cell{entity.Pod, "A"}] != (tally{violations: 6}) || c[cell{entity.Pod, "B"}] != (tally{unknown: 2}) {
		t.Errorf("%+v", c)
	}
	c.moveLocked(entity.Pod, was, findingsOf(v1.Observation{Verdicts: []v1.Verdict{{Rule: "A", State: v1.Violated, Violations: make([]v1.Violation, 1)}}}))
	c.moveLocked(entity.Pod, was, nil)
	if c[cell{entity.Pod, "A"}] != (tally{violations: 1}) || c[cell{entity.Pod, "B"}] != (tally{}) {
		t.Errorf("%+v", c)
	}
	if (state{findings: was[1:]}).bad() || !(state{findings: was}).bad() {
		t.Error("what cannot be judged counts as bad")
	}
}

// A scrape tells what is wrong now, and nothing of what is mended.
func TestViolationsAreMeasured(t *testing.T) {
	registry := prometheus.NewRegistry()
	web, api := single("web", 1), single("api", 1)
	web.Spec.Template.Spec, api.Spec.Template.Spec = spec("bad"), spec("bad")
	client := fake.NewClientset(web, api, namespaceNamed("shop"))
	d, _ := run(t, client, nil, func(s *Settings) { s.Registerer = registry })
	violations := func() (n float64) {
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range families {
			for _, m := range f.GetMetric() {
				if f.GetName() == "k8guard_violations" {
					n += m.GetGauge().GetValue()
				}
			}
		}
		return n
	}
	eventually(t, "both are judged", 10*time.Second, func() bool { return d.count(entity.Deployment) == 2 && violations() > 0 })
	all := violations()
	if err := client.AppsV1().Deployments("shop").Delete(t.Context(), "web", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "half of it is gone", 10*time.Second, func() bool { return violations() == all/2 })
	problems, err := testutil.GatherAndLint(registry)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if !strings.HasPrefix(p.Metric, "k8guard_all_") && !strings.HasPrefix(p.Metric, "k8guard_bad_") && !strings.HasPrefix(p.Metric, "fn_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
}
