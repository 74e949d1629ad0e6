package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/k8guard/k8guard/tools/services"
	"github.com/k8guard/k8guard/tools/services/servicestest"
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
		"unknown flag":       {[]string{"up", "--sideways"}, exitUsage, "sideways"},
		"an argument more":   {[]string{"down", "--dir", dir, "more"}, exitUsage, `"more"`},
		"three nodes":        {[]string{"up", "--dir", dir, "--nodes", "3"}, exitUsage, "1 or 2"},
		"unknown kind":       {[]string{"up", "--dir", dir, "--only", "redis"}, exitFailed, `"redis"`},
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
	if testing.Short() || len(services.Missing(t.Context(), services.Memcached, true)) > 0 {
		servicestest.StartWith(t, services.Memcached, services.Options{Secured: true}) // says why not
	}
	dir := filepath.Join(t.TempDir(), "set")
	flags := []string{"--dir", dir, "--only", "memcached", "--secured"}
	t.Cleanup(func() { run(t.Context(), append([]string{"down"}, flags...), t.Output(), t.Output()) })
	for _, step := range []struct{ command, says string }{
		{"up", "MEMCACHED='127.0.0.1:"},
		{"up", "already up"},
		{"status", "MEMCACHED_PASSWORD="},
		{"down", "down"},
		{"down", "already down"},
	} {
		var out strings.Builder
		if code := run(t.Context(), append([]string{step.command}, flags...), &out, t.Output()); code != exitOK {
			t.Fatalf("%s: exit code %d", step.command, code)
		}
		if !strings.Contains(out.String(), step.says) {
			t.Errorf("%s says %q", step.command, out.String())
		}
		if step.command != "up" {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, addressFile))
		if err != nil || !strings.Contains(string(text), step.says) && step.says != "already up" {
			t.Errorf("the file of addresses says %q, %v", text, err)
		}
	}
	if code := run(t.Context(), append([]string{"status"}, flags...), t.Output(), t.Output()); code != exitNotRunning {
		t.Errorf("status after down: exit code %d", code)
	}
}
