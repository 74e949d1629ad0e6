package telemetry_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/k8guard/k8guard/internal/telemetry"
)

func TestRegistry(t *testing.T) {
	r := telemetry.NewRegistry("v1.2.3", "abc")
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range families {
		names = append(names, f.GetName())
	}
	for _, name := range []string{"k8guard_build_info", "go_goroutines", "go_memstats_heap_alloc_bytes", "process_start_time_seconds"} {
		if !slices.Contains(names, name) {
			t.Errorf("%s is missing from %s", name, strings.Join(names, ", "))
		}
	}
	labels := map[string]string{}
	for _, f := range families {
		if f.GetName() == "k8guard_build_info" {
			for _, l := range f.GetMetric()[0].GetLabel() {
				labels[l.GetName()] = l.GetValue()
			}
		}
	}
	if labels["version"] != "v1.2.3" || labels["commit"] != "abc" || labels["goversion"] == "" {
		t.Errorf("labels: %v", labels)
	}
	if problems, err := testutil.GatherAndLint(r, "k8guard_build_info"); err != nil || len(problems) > 0 {
		t.Errorf("%v, %v", problems, err)
	}
}

// TestRegistriesAreApart: two instances live in one process.
func TestRegistriesAreApart(t *testing.T) {
	a, b := telemetry.NewRegistry("1", "a"), telemetry.NewRegistry("2", "b")
	if a == b {
		t.Fatal("the registries are one")
	}
}
