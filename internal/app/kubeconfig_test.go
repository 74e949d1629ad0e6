package app_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/k8guard/k8guard/internal/app"
	"github.com/k8guard/k8guard/internal/config"
)

// A kubeconfig that cannot be used is refused by the check and by the start, with its key, its
// file, and what makes a good one.
func TestAKubeconfigThatCannotBeUsed(t *testing.T) {
	const head = "apiVersion: v1\nkind: Config\ncurrent-context: x\n"
	const ends = "contexts: [{name: x, context: {cluster: x, user: x}}]\nusers: [{name: x, user: {token: s3cret}}]\n"
	keys := map[string]func(*config.Config, string){
		"cluster.kubeconfig":       func(c *config.Config, file string) { c.Cluster.Kubeconfig = file },
		"cluster.actionKubeconfig": func(c *config.Config, file string) { c.Cluster.ActionKubeconfig = file },
		"clusters[1].actionKubeconfig": func(c *config.Config, file string) {
			c.Clusters = []config.ActingCluster{{Name: "east"}, {Name: "west", ActionKubeconfig: file}}
		},
	}
	for name, test := range map[string]struct{ text, says string }{
		"empty":            {"", "is empty; make it with"},
		"blank":            {" \n\n", "is empty; make it with"},
		"a sentence":       {"the server has asked for the client to provide credentials\n", "is no kubeconfig that can be used"},
		"broken":           {"clusters: [\n", "is no kubeconfig that can be used"},
		"another kind":     {"apiVersion: v1\nkind: Pod\n", "is no kubeconfig that can be used"},
		"no cluster":       {"apiVersion: v1\nkind: Config\n", "names no cluster"},
		"another key":      {"kubeconfig: yes\n", "names no cluster"},
		"a lost context":   {"apiVersion: v1\nkind: Config\ncurrent-context: lost\nclusters: [{name: x, cluster: {server: 'https://127.0.0.1:1'}}]\n" + ends, "lost"},
		"no server":        {head + "clusters: [{name: x, cluster: {}}]\n" + ends, "x"},
		"a missing file":   {head + "clusters: [{name: x, cluster: {server: 'https://127.0.0.1:1', certificate-authority: absent.pem}}]\n" + ends, "absent.pem"},
		"no certificate":   {head + "clusters: [{name: x, cluster: {server: 'https://127.0.0.1:1', certificate-authority-data: bm9uZQ==}}]\n" + ends, "certificate"},
		"no proxy":         {head + "clusters: [{name: x, cluster: {server: 'https://127.0.0.1:1', proxy-url: 'foo://u:s3cret@h'}}]\n" + ends, "its proxy-url is none"},
		"none of the name": {"absent", "no such file"},
	} {
		for key, set := range keys {
			s, _ := settings(t, "https://127.0.0.1:1")
			file := filepath.Join(t.TempDir(), "bad.kubeconfig")
			if test.text != "absent" {
				must(t, os.WriteFile(file, []byte(test.text), 0o600))
			}
			set(&s.Config, file)
			refusals := []error{app.Check(s.Config)}
			if len(s.Config.Clusters) == 0 && name != "no certificate" { // which is read later than the ledger
				refusals = append(refusals, app.Run(t.Context(), s))
			}
			for i, err := range refusals {
				if err == nil {
					t.Errorf("%s, %s, %d: it is taken", name, key, i)
					continue
				}
				said := err.Error()
				if !strings.HasPrefix(said, key+": ") || !strings.Contains(said, file) || !strings.Contains(said, test.says) || !strings.Contains(said, "sh deploy/kubeconfig.sh k8guard-") {
					t.Errorf("%s, %s, %d: %s", name, key, i, said)
				}
				if strings.Contains(said, "action") != strings.Contains(said, "k8guard-action") || strings.Contains(said, "KUBERNETES_MASTER") || strings.Contains(said, "s3cret") || strings.Count(said, file) != 1 {
					t.Errorf("%s, %s, %d: %s", name, key, i, said)
				}
			}
		}
	}
}
