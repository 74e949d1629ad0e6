package main

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestExitCodes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "none")
	for name, c := range map[string]struct {
		args []string
		code int
		says string
	}{
		"nothing asked":      {nil, exitUsage, "usage:"},
		"unknown command":    {[]string{"sideways", "--dir", dir}, exitUsage, "usage:"},
		"unknown flag":       {[]string{"up", "--sideways"}, exitUsage, "usage:"},
		"an argument more":   {[]string{"down", "--dir", dir, "more"}, exitUsage, "usage:"},
		"name leaves folder": {[]string{"down", "--name", "../x"}, exitUsage, "lower-case"},
		"status of nothing":  {[]string{"status", "--dir", dir}, exitNotRunning, "not running in " + dir},
		"down of nothing":    {[]string{"down", "--dir", dir}, exitOK, "already down"},
	} {
		t.Run(name, func(t *testing.T) {
			var out, problems strings.Builder
			code := run(t.Context(), c.args, &out, &problems)
			if said := out.String() + problems.String(); code != c.code || !strings.Contains(said, c.says) {
				t.Errorf("exit code %d, said %q", code, said)
			}
		})
	}
}

func TestUpAndDown(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a control plane: left out under -short")
	}
	dir := filepath.Join(t.TempDir(), "cluster")
	t.Cleanup(func() { run(t.Context(), []string{"down", "--dir", dir}, t.Output(), t.Output()) })
	for _, step := range []struct{ command, says string }{
		{"up", "export KUBECONFIG='" + dir + "/admin.kubeconfig'"},
		{"up", "already up"},
		{"status", "running"},
		{"down", "down"},
		{"down", "already down"},
	} {
		var out strings.Builder
		if code := run(t.Context(), []string{step.command, "--dir", dir}, &out, t.Output()); code != exitOK {
			t.Fatalf("%s: exit code %d", step.command, code)
		}
		if !strings.Contains(out.String(), step.says) {
			t.Errorf("%s says %q", step.command, out.String())
		}
	}
	if code := run(t.Context(), []string{"status", "--dir", dir}, t.Output(), t.Output()); code != exitNotRunning {
		t.Errorf("status after down: exit code %d", code)
	}
}
