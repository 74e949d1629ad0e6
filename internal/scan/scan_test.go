package scan

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/manifest"
	"github.com/k8guard/k8guard/internal/rule"
	"github.com/k8guard/k8guard/internal/rule/all"
)

func TestVisible(t *testing.T) {
	if got := Visible("a\x1b[31m\nb\u202e"); got != `a\x1b[31m\nb\u202e` {
		t.Errorf("got %q", got)
	}
}

func BenchmarkScan(b *testing.B) {
	const objects = 1000
	var in strings.Builder
	for i := range objects {
		fmt.Fprintf(&in, "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d%d, namespace: shop, labels: {app: a}}\nspec:\n  selector: {matchLabels: {app: a}}\n  template:\n    metadata: {labels: {app: a}}\n    spec:\n      containers:\n        - name: app\n          image: redis:7\n          securityContext: {privileged: true}\n          ports: [{containerPort: 80}]\n", i)
	}
	rules, err := all.Rules(config.Rules{}, config.Owners{})
	if err != nil {
		b.Fatal(err)
	}
	engine, err := rule.NewEngine(rules...)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		set, err := manifest.Read([]string{"-"}, false, strings.NewReader(in.String()))
		report := Judge(engine, set, err)
		if report.Summary.Violations != objects {
			b.Fatalf("%+v", report.Summary)
		}
		if err := report.PrintTable(io.Discard, false); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(objects*float64(b.N)/b.Elapsed().Seconds(), "objects/s")
}
