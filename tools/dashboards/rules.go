package dashboards

import (
	"bytes"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

const generated = "# Written by `make generate` from tools/dashboards; do not edit.\n"

// What Prometheus reads.
type (
	ruleFile struct {
		Groups []ruleGroup `yaml:"groups"`
	}
	ruleGroup struct {
		Name  string `yaml:"name"`
		Rules []rule `yaml:"rules"`
	}
	rule struct {
		Record      string            `yaml:"record,omitempty"`
		Alert       string            `yaml:"alert,omitempty"`
		Expr        string            `yaml:"expr"`
		For         string            `yaml:"for,omitempty"`
		Labels      map[string]string `yaml:"labels,omitempty"`
		Annotations map[string]string `yaml:"annotations,omitempty"`
	}
)

// Rules is the file of all recording and alerting rules.
func Rules() ([]byte, error) { return RulesWith(func(a Alert) string { return a.For }) }

// RulesWith is [Rules] with another patience of each alert, for a test that cannot wait.
func RulesWith(patience func(Alert) string) ([]byte, error) {
	record, alert := ruleGroup{Name: "k8guard-records"}, ruleGroup{Name: "k8guard-alerts"}
	for _, r := range Records() {
		record.Rules = append(record.Rules, rule{Record: r.Name, Expr: r.Expr})
	}
	for _, a := range Alerts() {
		alert.Rules = append(alert.Rules, rule{Alert: a.Name, Expr: a.Expr, For: patience(a),
			Labels: map[string]string{"severity": a.Severity}, Annotations: a.annotations()})
	}
	return file(ruleFile{[]ruleGroup{record, alert}})
}

func (a Alert) annotations() map[string]string {
	return map[string]string{"summary": a.Summary, "runbook_url": RunbookURL + a.Anchor()}
}

// Anchor is the section of the runbooks.
func (a Alert) Anchor() string { return strings.ToLower(a.Name) }

// What promtool reads.
type (
	testFile struct {
		RuleFiles []string `yaml:"rule_files"`
		Interval  string   `yaml:"evaluation_interval"`
		Tests     []test   `yaml:"tests"`
	}
	test struct {
		Name   string      `yaml:"name"`
		Every  string      `yaml:"interval"`
		Series []series    `yaml:"input_series"`
		Alerts []alertTest `yaml:"alert_rule_test"`
	}
	series struct {
		Series string `yaml:"series"`
		Values string `yaml:"values"`
	}
	alertTest struct {
		At       string     `yaml:"eval_time"`
		Name     string     `yaml:"alertname"`
		Expected []expected `yaml:"exp_alerts,omitempty"`
	}
	expected struct {
		Labels      map[string]string `yaml:"exp_labels"`
		Annotations map[string]string `yaml:"exp_annotations"`
	}
)

// Tests is the file with a story for each alert: quiet, and then not.
func Tests() ([]byte, error) {
	out := testFile{RuleFiles: []string{"rules.yaml"}, Interval: "1m"}
	for _, a := range Alerts() {
		t := test{Name: a.Name, Every: "1m"}
		for _, name := range slices.Sorted(maps.Keys(a.Test.Series)) {
			t.Series = append(t.Series, series{name, a.Test.Series[name]})
		}
		labels := map[string]string{"severity": a.Severity}
		maps.Copy(labels, a.Test.Labels)
		t.Alerts = []alertTest{{At: a.Test.Quiet, Name: a.Name}, {At: a.Test.At, Name: a.Name, Expected: []expected{{labels, a.annotations()}}}}
		out.Tests = append(out.Tests, t)
	}
	return file(out)
}

func file(what any) ([]byte, error) {
	var out bytes.Buffer
	out.WriteString(generated)
	to := yaml.NewEncoder(&out)
	to.SetIndent(2)
	err := to.Encode(what)
	return out.Bytes(), err
}
