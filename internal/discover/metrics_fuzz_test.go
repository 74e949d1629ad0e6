package discover

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"k8s.io/client-go/kubernetes/fake"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/entity"
)

// Whatever a tenant names its objects, the metrics are read by Prometheus' own parser, their
// labels are from lists of ours, and no name is in them.
func FuzzMetrics(f *testing.F) {
	f.Add("a\"} 1\nforged{x=\"y", "bad/\x1b[2J:1")
	f.Add("\xff\\", "\u202e# HELP up x\n# TYPE up gauge\nup 0")
	f.Fuzz(func(t *testing.T, name, image string) {
		name, image = "hostile"+name, "hostile"+image
		web := single(name, 2)
		web.Spec.Template.Spec = spec(image)
		registry := prometheus.NewRegistry()
		d, r := run(t, fake.NewClientset(web, namespaceNamed("shop")), nil, func(s *Settings) { s.Registerer = registry })
		eventually(t, "it was told", 10*time.Second, func() bool { _, told := r.of("Deployment", name); return told || d.count(entity.Deployment) > 0 })
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		for _, one := range families {
			if _, err := expfmt.MetricFamilyToText(&out, one); err != nil {
				t.Fatal(err)
			}
		}
		if strings.Contains(out.String(), "hostile") {
			t.Errorf("a tenant's text is in the metrics:\n%s", out.String())
		}
		parser := expfmt.NewTextParser(model.LegacyValidation)
		parsed, err := parser.TextToMetricFamilies(&out)
		if err != nil || len(parsed) != len(families) {
			t.Fatalf("%d families of %d: %v", len(parsed), len(families), err)
		}
		for family, one := range parsed {
			for _, m := range one.Metric {
				for _, l := range m.Label {
					if !slices.Contains(bounded(d)[l.GetName()], l.GetValue()) {
						t.Errorf("%s has label %s=%q", family, l.GetName(), l.GetValue())
					}
				}
			}
		}
	})
}

// bounded lists every label with the values that it may have.
func bounded(d *Discover) map[string][]string {
	all := map[string][]string{"state": {string(v1.Live), string(v1.Gone)}, "cluster": {"test"}}
	for _, kind := range append(entity.Kinds(), entity.Related()...) {
		all["kind"] = append(all["kind"], string(kind))
	}
	for _, m := range d.settings.Engine.Rules() {
		all["rule"], all["severity"] = append(all["rule"], m.ID), append(all["severity"], string(m.Severity))
	}
	return all
}
