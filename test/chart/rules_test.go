package chart

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/k8guard/k8guard/internal/cli"
	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/rule"
	"github.com/k8guard/k8guard/internal/rule/all"
	"github.com/k8guard/k8guard/internal/scan"
)

// namespace is what NOTES.txt tells people to make of the release's.
const namespace = `---
apiVersion: v1
kind: Namespace
metadata: {name: k8guard, labels: {app.kubernetes.io/name: k8guard}, annotations: {team/email-ids: platform@example.com}}
`

// strict turns on every rule that a configuration has to turn on.
const strict = `
cluster: {name: east}
rules:
  IMAGE_REPO: {approved: [registry.example.com]}
  PRIVILEGED: {root: must-prove}
  REQUIRED_LABELS: [app.kubernetes.io/name]
  REQUIRED_ANNOTATIONS: ["*:namespace:*:team/email-ids"]
  REQUIRED_ENTITIES: ["*:namespace:*:k8guard"]
`

// configuration is what the chart made of the values.
func configuration(t *testing.T, golden []byte) string {
	t.Helper()
	rendered := objects(t, golden)
	for _, c := range of[*corev1.ConfigMap](rendered) {
		if c.Name == "k8guard" {
			return c.Data["k8guard.yaml"]
		}
	}
	for _, s := range of[*corev1.Secret](rendered) {
		if s.Name == "k8guard" {
			return s.StringData["k8guard.yaml"]
		}
	}
	t.Fatal("no configuration is rendered")
	return ""
}

// The product takes the configuration without an error or a warning.
func TestConfigurationIsUsable(t *testing.T) {
	rules, err := all.Rules(config.Default().Rules, config.Default().Owners)
	if err != nil {
		t.Fatal(err)
	}
	engine, err := rule.NewEngine(rules...)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, m := range engine.Rules() {
		ids = append(ids, m.ID)
	}
	for _, mode := range modes(t) {
		c, warnings, err := config.LoadBytes([]byte(configuration(t, read(t, goldenFile(mode)))), config.Source{File: mode, Rules: ids})
		if err != nil {
			t.Errorf("%s: %v", mode, err)
		}
		for _, w := range warnings {
			if !strings.HasSuffix(w.Key, "cassandra.replication") && !strings.HasPrefix(w.Key, "policies[") { // the values say so
				t.Errorf("%s: %s", mode, w)
			}
		}
		if want := strings.Contains(mode, "enforce"); (c.Enforce.Mode == config.ModeEnforce) != want {
			t.Errorf("%s: the mode is %s", mode, c.Enforce.Mode)
		}
	}
}

// K8Guard's own rules, all of them, find nothing in any mode, but the one replica of the embedded
// one, which the configuration that is rendered beside it exempts.
func TestChartPassesItsOwnRules(t *testing.T) {
	dir := t.TempDir()
	rules := filepath.Join(dir, "rules.yaml")
	if err := os.WriteFile(rules, []byte(strict), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, mode := range modes(t) {
		golden := read(t, goldenFile(mode))
		file := filepath.Join(dir, mode+".yaml")
		if err := os.WriteFile(file, append([]byte(namespace), golden...), 0o600); err != nil {
			t.Fatal(err)
		}
		report := scanned(t, file, rules)
		single := 0
		for _, f := range report.Findings {
			switch {
			case f.Verdict.State == "unknown":
				if f.Verdict.Rule != "IMAGE_SIZE" && f.Verdict.Rule != "REQUIRED_PODS" { // what no manifest can say
					t.Errorf("%s: %+v", mode, f)
				}
			case f.Verdict.Rule == "SINGLE_REPLICA" && f.Name == "k8guard" && strings.HasPrefix(mode, "run"):
				single++
			default:
				t.Errorf("%s: %+v", mode, f)
			}
		}
		if want := strings.HasPrefix(mode, "run"); (single == 1) != want {
			t.Errorf("%s: %d single replicas", mode, single)
		}
		exempts(t, mode, configuration(t, golden))
	}
}

func scanned(t *testing.T, file, rules string) scan.Report {
	t.Helper()
	return scannedBy(t, file, "--config", rules)
}

func scannedBy(t *testing.T, args ...string) (report scan.Report) {
	t.Helper()
	var out, errs bytes.Buffer
	root := cli.New(cli.Streams{In: strings.NewReader(""), Out: &out, Err: &errs})
	root.SetArgs(append([]string{"scan", "-o", "json"}, args...))
	err := root.Execute()
	if json.Unmarshal(out.Bytes(), &report) != nil || len(report.Errors)+len(report.Warnings) > 0 || report.Summary.Objects == 0 {
		t.Fatalf("%v: %v %s %s", args, err, out.String(), errs.String())
	}
	return report
}

func exempts(t *testing.T, mode, text string) {
	t.Helper()
	c, _, err := config.LoadBytes([]byte(text), config.Source{File: mode})
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, e := range c.Exemptions {
		found = found || e.Name == "k8guard" && e.Match.Rules[0] == "SINGLE_REPLICA" && e.Match.Namespaces[0] == "k8guard"
	}
	if found != strings.HasPrefix(mode, "run") {
		t.Errorf("%s: exempted: %v", mode, found)
	}
}
