package controlplane

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/k8guard/k8guard/tools/clone"
)

func TestRequiredVersion(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"in a block":         {"require (\n\ta/b v1.2.3 // indirect\n)\n", "v1.2.3"},
		"on its own":         {"require a/b v1.2.3\n", "v1.2.3"},
		"longer path first":  {"require (\n\ta/b/c v9.0.0\n\ta/b v1.2.3\n)", "v1.2.3"},
		"replaced elsewhere": {"replace a/b => a/b v7.0.0\nrequire a/b v1.2.3", "v1.2.3"},
		"only in a comment":  {"// a/b v1.2.3\n", ""},
		"only as a tool":     {"tool a/b\n", ""},
		"nothing":            {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := requiredVersion(c.text, "a/b")
			if got != c.want || (err == nil) != (c.want != "") {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

func TestKeyNamesVersionsAndMachine(t *testing.T) {
	modules := t.TempDir()
	for folder, require := range map[string]string{
		"kubernetes": "k8s.io/kubernetes v1.2.3", "etcd": "go.etcd.io/etcd/server/v3 v3.4.5", "kwok": "sigs.k8s.io/kwok v0.6.7",
	} {
		if err := os.Mkdir(filepath.Join(modules, folder), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(modules, folder, "go.mod"), []byte("require "+require+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	v, err := readVersions(modules)
	if err != nil {
		t.Fatal(err)
	}
	want := "k8s-v1.2.3_etcd-v3.4.5_kwok-v0.6.7_" + runtime.GOOS + "-" + runtime.GOARCH
	if v.key() != want {
		t.Errorf("got %s, want %s", v.key(), want)
	}
}

func TestRepositoryHasAllThreeModules(t *testing.T) {
	t.Chdir(t.TempDir())
	root, err := clone.Root(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := readVersions(filepath.Join(root, "tools", "controlplane")); err != nil {
		t.Error(err)
	}
}

func TestAssetsNamesWhatTheGivenFolderLacks(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{etcd, apiServer, kubectl} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv(assetsVariable, dir)
	_, err := Assets(t.Context(), t.Output())
	if err == nil || !strings.Contains(err.Error(), "lacks "+controllerManager+", "+scheduler+", "+kwok+";") {
		t.Errorf("got %v", err)
	}
}
