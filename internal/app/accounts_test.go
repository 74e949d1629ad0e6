package app_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/k8guard/k8guard/internal/app"
	"github.com/k8guard/k8guard/internal/config"
)

// account writes a kubeconfig whose user is this JSON.
func account(t *testing.T, server, user string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "kubeconfig")
	must(t, os.WriteFile(file, fmt.Appendf(nil, `{"apiVersion": "v1", "kind": "Config", "current-context": "x",
		"clusters": [{"name": "x", "cluster": {"server": %q}}], "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
		"users": [{"name": "x", "user": %s}]}`, server, user), 0o600))
	return file
}

// One account for both is refused before a start, under whatever name it comes.
func TestCheckRefusesOneAccountForBoth(t *testing.T) {
	s, _ := settings(t, "https://127.0.0.1:1")
	token := filepath.Join(t.TempDir(), "token")
	must(t, os.WriteFile(token, []byte("abc"), 0o600))
	ada, bob := account(t, "https://127.0.0.1:1", `{"token": "abc"}`), account(t, "https://127.0.0.1:1", `{"token": "def"}`)
	link := filepath.Join(t.TempDir(), "link")
	must(t, os.Symlink(ada, link))
	pods := account(t, "https://127.0.0.1:1", `{"tokenFile": "/var/run/secrets/kubernetes.io/serviceaccount/token"}`)
	for name, test := range map[string]struct {
		discover, action string
		same             bool
		apart            bool // discover and action are services
	}{
		"one file":           {ada, ada, true, false},
		"a link to it":       {ada, link, true, false},
		"a copy":             {ada, account(t, "https://localhost:1", `{"token": "abc"}`), true, false},
		"its token's file":   {ada, account(t, "https://127.0.0.1:1", `{"tokenFile": "`+token+`"}`), true, false},
		"another":            {ada, bob, false, false},
		"the same, as other": {ada, account(t, "https://127.0.0.1:1", `{"token": "abc", "as": "k8guard-action"}`), false, false},
		"none that acts":     {ada, "", false, false},
		"the pod's, another": {"", bob, false, false},
		"the pod's, both":    {"", pods, true, false},
		"each pod its own":   {"", pods, false, true},
		"one file, apart":    {ada, ada, true, true},
	} {
		c := s.Config
		c.Cluster.Kubeconfig, c.Cluster.ActionKubeconfig = test.discover, test.action
		if test.apart {
			c.Bus.Kind = config.BusKafka
		}
		err := app.Check(c)
		if said := err != nil && strings.Contains(err.Error(), "is the same account"); said != test.same || !test.same && err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && strings.Contains(err.Error(), "abc") {
			t.Errorf("%s: a token in %v", name, err)
		}
	}
}

// What messages say of a reload is so: an account that may act is taken over while it runs.
func TestReloadTakesOverTheAccountThatActs(t *testing.T) {
	c := newCluster(t)
	r := runReloading(t, c.URL, "enforce: {mode: safe}\n")
	r.until(t, "/api/v1/status", "cluster.actionKubeconfig is empty")
	r.write(t, "enforce: {mode: safe}\ncluster: {actionKubeconfig: '"+account(t, c.URL, `{"token": "acts"}`)+"'}\n")
	r.until(t, "/api/v1/status", "safe mode tells")
}
