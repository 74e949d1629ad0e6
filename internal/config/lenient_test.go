package config_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/k8guard/k8guard/internal/config"
)

// An emergency does not wait for a file to be mended.
func TestPlacesAreFoundInABrokenFile(t *testing.T) {
	for name, text := range map[string]string{
		"whole":          "data: {dir: /d}\nreport:\n  socket: /s\n",
		"an unknown key": "datta: 1\ndata: {dir: /d, dirr: x}\nreport: {socket: /s, login: never}\n",
		"not YAML":       "cluster: {name: prod\nrules:\n  IMAGE_REPO: [[\ndata:\n  # here\n  dir: /d\nreport: {socket: /s}\npolicies:\n- name: *\n",
		"a bad sibling":  "enforce: {mode: enforce}\ndata: {dir: /d, retention: never}\nreport: {listen: nowhere, socket: /s}\n",
	} {
		file := filepath.Join(t.TempDir(), "k8guard.yaml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c, wrong, err := config.LoadPlaces(config.Source{File: file, Env: []string{"K8GUARD__NOTIFY__GAP=never"}})
		if err != nil || c.Data.Dir != "/d" || c.Report.Socket != "/s" || wrong == nil {
			t.Errorf("%s: %q %q, wrong %v, %v", name, c.Data.Dir, c.Report.Socket, wrong, err)
		}
		c, _, err = config.LoadPlaces(config.Source{File: file, Env: []string{"K8GUARD__DATA__DIR=/env"}, Set: []string{"report.socket=/set"}})
		if err != nil || c.Data.Dir != "/env" || c.Report.Socket != "/set" {
			t.Errorf("%s: %q %q, %v", name, c.Data.Dir, c.Report.Socket, err)
		}
	}
	if _, _, err := config.LoadPlaces(config.Source{File: filepath.Join(t.TempDir(), "none")}); err == nil {
		t.Error("a file that was named and is not there is passed over")
	}
	if _, _, err := config.LoadPlaces(config.Source{Set: []string{"report.sockett=/x"}}); err == nil {
		t.Error("a wrong --set is passed over")
	}
	if c, wrong, err := config.LoadPlaces(config.Source{}); err != nil || wrong != nil || c.Data.Dir != config.Default().Data.Dir {
		t.Errorf("nothing: %v %v %v", c.Data, wrong, err)
	}
}
