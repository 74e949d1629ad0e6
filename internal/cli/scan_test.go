package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/k8guard/k8guard/internal/scan"
)

func execute(in string, args ...string) (out string, err error) {
	var b bytes.Buffer
	root := New(Streams{In: strings.NewReader(in), Out: &b, Err: &b})
	root.SetArgs(args)
	err = root.Execute()
	return b.String(), err
}

func TestScanDemo(t *testing.T) {
	out, err := execute("", "scan", "../../examples/demo", "--config", "../../examples/demo.yaml", "-o", "json")
	if Code(err) != ExitViolations || Message(err) != "" {
		t.Fatalf("code %d, %v", Code(err), err)
	}
	var report scan.Report
	if err := json.Unmarshal([]byte(out), &report); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range report.Findings {
		for _, v := range f.Verdict.Violations {
			got = append(got, v.Type+" "+f.Namespace+"/"+f.Name)
		}
	}
	want := "NO_OWNER_ANNOTATION orphans/orphans, REQUIRED_DAEMONSETS legacy/legacy, REQUIRED_DEPLOYMENTS legacy/legacy, " +
		"REQUIRED_PODS legacy/legacy, REQUIRED_RESOURCE_QUOTA legacy/legacy, REQUIRED_NAMESPACE_ANNOTATIONS legacy/legacy, " +
		"REQUIRED_NAMESPACE_LABELS legacy/legacy, PRIVILEGED shop/node-tuner, IMAGE_REPO shop/cache, SINGLE_REPLICA shop/cache, " +
		"INGRESS_HOST_INVALID shop/catch-all, INGRESS_HOST_INVALID payments/foreign, PRIVILEGED payments/debug, " +
		"CAPABILITIES shop/clock-sync, HOST_VOLUMES payments/log-agent, IMAGE_REPO payments/queue, " +
		"REQUIRED_DEPLOYMENT_ANNOTATIONS legacy/reporting, REQUIRED_DEPLOYMENT_LABELS legacy/reporting, " +
		"REQUIRED_DAEMONSET_ANNOTATIONS legacy/shipper, REQUIRED_DAEMONSET_LABELS legacy/shipper, " +
		"REQUIRED_POD_ANNOTATIONS legacy/by-hand, REQUIRED_POD_LABELS legacy/by-hand"
	if strings.Join(got, ", ") != want {
		t.Errorf("got %s", strings.Join(got, ", "))
	}
}

func TestExitCodes(t *testing.T) {
	const good = "apiVersion: v1\nkind: Pod\nmetadata: {name: \"a\\e[31m\"}\nspec: {containers: [{name: c, image: i}]}\n"
	for _, c := range []struct {
		in   string
		args []string
		code int
	}{
		{good, []string{"scan", "-"}, 0},
		{good, []string{"scan", "-", "--fail-on-unknown"}, ExitFailure},
		{good + "---\n{", []string{"scan", "-f", "-"}, ExitFailure},
		{"", []string{"scan"}, ExitFailure},
		{"", []string{"scan", "--nope"}, ExitFailure},
		{"", []string{"nope"}, ExitFailure},
		{"", []string{"rules", "explain", "NOPE"}, ExitFailure},
		{"", []string{"rules", "explain", "privileged"}, 0},
		{"", []string{"version", "-o", "json"}, 0},
	} {
		out, err := execute(c.in, c.args...)
		if Code(err) != c.code || strings.Contains(out, "\x1b") {
			t.Errorf("%q: code %d (%v), output %q", c.args, Code(err), err, out)
		}
	}
}

func TestRulesDocsAreCurrent(t *testing.T) {
	want, err := os.ReadFile("../../docs/generated/rules.md")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := execute("", "rules", "docs"); err != nil || got != string(want) {
		t.Errorf("docs/generated/rules.md has drifted (%v); run k8guard rules docs > docs/generated/rules.md", err)
	}
}

func TestEveryCommandHasAnExample(t *testing.T) {
	walk(New(Streams{}), func(c *cobra.Command) {
		if c.Example == "" {
			t.Errorf("%s has no example", c.CommandPath())
		}
	})
}
