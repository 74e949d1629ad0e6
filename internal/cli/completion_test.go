package cli

import (
	"bytes"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

func TestCompletion(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if out, err := execute("", "completion", shell); err != nil || !strings.Contains(out, "k8guard") {
			t.Errorf("%s: %v", shell, err)
		}
	}
	for args, want := range map[string]string{
		"rules explain ":     "PRIVILEGED",
		"freeze ":            "rule/PRIVILEGED",
		"scan -o ":           "sarif",
		"config print -o ":   "yaml",
		"undo --output ":     "json",
		"scan --cluster -n ": ":4", // nothing, and no files either
		"whoowns ":           ":4",
		"completion ":        "fish",
	} {
		fields := append([]string{"__complete"}, strings.Fields(args)...)
		if out, err := execute("", append(fields, "")...); err != nil || !strings.Contains(out, want+"\n") && !strings.Contains(out, want+"\t") {
			t.Errorf("%q: no %s in %q, %v", args, want, out, err)
		}
	}
}

func TestAsPluginOfKubectl(t *testing.T) {
	var b bytes.Buffer
	root := New(Streams{Out: &b, Err: &b, Program: "/usr/local/bin/kubectl-k8guard"})
	root.SetArgs([]string{"scan", "--help"})
	if err := root.Execute(); err != nil {
		t.Fatal(err)
	}
	if out := b.String(); !strings.Contains(out, "kubectl k8guard scan [PATH...]") || !strings.Contains(out, "\n  kubectl k8guard scan ./manifests") {
		t.Errorf("the usage does not name kubectl:\n%s", out)
	}
	root.SetArgs([]string{"scan", "--nope"})
	if err := root.Execute(); !strings.Contains(Message(err), "see kubectl k8guard scan --help") {
		t.Error(err)
	}
	walk(New(Streams{Program: "k8guard"}), func(c *cobra.Command) {
		if strings.Contains(c.CommandPath()+c.Example, "kubectl k8guard") {
			t.Errorf("%s names kubectl, which did not run it", c.CommandPath())
		}
	})
}
