package app

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
)

var update = flag.Bool("update", false, "write the generated file anew") //nolint:gochecknoglobals // as go test wants it

// TestMetrics renders the list of all metrics from what the targets register, and compares it
// with the file in docs/generated.
func TestMetrics(t *testing.T) {
	all := catalogue(t)
	text := "# Metrics\n\nRendered by `make generate` from what the targets register; do not edit.\n\n" +
		"Every target serves these on `/metrics`, beside the Go runtime's `go_…` and the process's `process_…`. Histograms have\n" +
		"classic buckets, and native ones for a scraper that asks for them. A label's values come from a list of K8Guard's, or\n" +
		"are a name that the platform configured (`cluster`, `channel`): nothing that a tenant writes is a label, not even a\n" +
		"namespace. Whose cases they are is in the report and its API.\n"
	text += table("K8Guard's own", all, func(m measure) bool { return !first(m.name) })
	text += "\nThe first K8Guard's names, types and units; none of these has a label. Its durations were those of reading a kind; now\n" +
		"they are of counting it, for a watch has no list to wait for.\n" + table("The first K8Guard's", all, func(m measure) bool { return first(m.name) })
	const file = "../../docs/generated/metrics.md"
	if *update {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil || string(want) != text {
		t.Errorf("%s has drifted (%v); run make generate, and got:\n%s", file, err, text)
	}
}

func table(title string, all []measure, which func(measure) bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n## %s\n\n| name | type | labels | served by | meaning |\n|---|---|---|---|---|\n", title)
	for _, m := range all {
		if which(m) {
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", m.name, m.kind, strings.Join(m.labels, ", "), strings.Join(m.targets, ", "), strings.ReplaceAll(m.help, "|", "\\|"))
		}
	}
	return b.String()
}

// first reports whether a name is the first K8Guard's.
func first(name string) bool { return slices.Contains(firstNames(), name) }

// firstNames are the names that the first K8Guard had, one for one.
func firstNames() (all []string) {
	for _, kind := range strings.Fields("namespace deployment daemonset pod image ingresses job cronjob") {
		all = append(all, "k8guard_all_"+kind+"_count")
	}
	for _, kind := range strings.Fields("namespace deployment daemonset pod pod_wo_owner ingresses job job_wo_owner cronjob") {
		all = append(all, "k8guard_bad_"+kind+"_count")
	}
	for _, kind := range strings.Fields("namespaces deploys daemonsets pods ingresses jobs cronjobs") {
		all = append(all, "fn_get_bad_"+kind+"_duration")
	}
	return append(all, "fn_cache_all_images_duration")
}

// Every one of the first K8Guard's 25 names is there: a gauge without labels, where its
// discover had it.
func TestTheFirstNames(t *testing.T) {
	all := catalogue(t)
	if len(firstNames()) != 25 {
		t.Fatalf("%d names", len(firstNames()))
	}
	for _, name := range firstNames() {
		i := slices.IndexFunc(all, func(m measure) bool { return m.name == name })
		if i < 0 || all[i].kind != "gauge" || len(all[i].labels) > 0 || !slices.Equal(all[i].targets, []string{"run", "discover"}) {
			t.Errorf("%s: %+v", name, all[max(i, 0)])
		}
	}
}

// Prometheus' own rules of naming hold, but for the first K8Guard's names.
func TestMetricsAreLintFree(t *testing.T) {
	var families []*dto.MetricFamily
	for _, m := range catalogue(t) {
		if !first(m.name) {
			families = append(families, family(m))
		}
	}
	problems, err := promlint.NewWithMetricFamilies(families).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

// family is a metric as a scrape would show it.
func family(m measure) *dto.MetricFamily {
	one := &dto.Metric{}
	for _, l := range m.labels {
		value := "x"
		one.Label = append(one.Label, &dto.LabelPair{Name: &l, Value: &value})
	}
	kind := map[string]dto.MetricType{"counter": dto.MetricType_COUNTER, "gauge": dto.MetricType_GAUGE, "histogram": dto.MetricType_HISTOGRAM}[m.kind]
	switch m.kind {
	case "counter":
		one.Counter = &dto.Counter{}
	case "gauge":
		one.Gauge = &dto.Gauge{}
	case "histogram":
		one.Histogram = &dto.Histogram{}
	}
	return &dto.MetricFamily{Name: &m.name, Help: &m.help, Type: &kind, Metric: []*dto.Metric{one}}
}

// A label is one of these, whose values are from a list of ours or the platform's. A new one
// is put here by who has made sure that no tenant can write it.
func TestLabelsAreBounded(t *testing.T) {
	known := strings.Fields("account channel cluster code commit goversion kind mode operation reason result rule scope severity state status use verb version window")
	for _, m := range catalogue(t) {
		for _, l := range m.labels {
			if !slices.Contains(known, l) {
				t.Errorf("%s has a label %s", m.name, l)
			}
		}
		if !strings.HasPrefix(m.name, "k8guard_") && !first(m.name) {
			t.Errorf("%s is not called k8guard_…", m.name)
		}
	}
}
