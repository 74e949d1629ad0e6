package manifest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestKustomizeBuildsOverlays(t *testing.T) {
	dir := folder(t, map[string]string{
		"base/kustomization.yaml":    "resources: [pod.yaml]\n",
		"base/pod.yaml":              pod,
		"overlay/kustomization.yaml": "resources: [../base]\nnamePrefix: prod-\nimages: [{name: i, newName: registry.example.com/i}]\n",
	})
	set, err := Kustomize(filepath.Join(dir, "overlay"))
	if err != nil || len(set.Items) != 1 {
		t.Fatalf("%+v, %v", set, err)
	}
	e := set.Items[0].Entity
	if e.Name != "prod-a" || e.Pod.Containers[0].Image != "registry.example.com/i" || !strings.HasPrefix(set.Items[0].File, "(kustomize build ") {
		t.Errorf("%+v", set.Items[0])
	}
}

// Every way to name what lies elsewhere is refused before anything is fetched.
func TestKustomizeFetchesNothing(t *testing.T) {
	for _, text := range []string{
		"resources: [https://127.0.0.1:1/base]",
		"resources: ['git::https://127.0.0.1:1/x']",
		"resources: [github.com/owner/repo]",
		"resources: [GitHub.com/owner/repo]",
		"resources: ['git@127.0.0.1:owner/repo']",
		"resources: ['ssh://127.0.0.1/x']",
		"resources: ['file:///tmp/repo']",
		"bases: [https://127.0.0.1:1/base]",
		"components: [https://127.0.0.1:1/base]",
		"crds: ['http://127.0.0.1:1/crd.yaml']",
		"patches: [{path: 'http://127.0.0.1:1/p.yaml'}]",
		"patchesStrategicMerge: ['http://127.0.0.1:1/p.yaml']",
		"openapi: {path: 'http://127.0.0.1:1/p.json'}",
		"configMapGenerator: [{name: a, files: ['k=https://127.0.0.1:1/p']}]",
		"configMapGenerator: [{name: a, envs: ['HTTPS://127.0.0.1:1/p']}]",
		"transformers: [https://127.0.0.1:1/t.yaml]",
		"transformers: [\"apiVersion: builtin\\nkind: PatchTransformer\\nmetadata: {name: a}\\npath: http://127.0.0.1:1/p\\n\"]",
		"x: &a ['https://127.0.0.1:1/base']\nresources: *a",
		"resources: [deep]",
		"transformers: [t.yaml]",
	} {
		dir := folder(t, map[string]string{
			"kustomization.yaml":      text + "\n",
			"deep/kustomization.yaml": "resources: [https://127.0.0.1:1/base]\n",
			"t.yaml":                  "apiVersion: builtin\nkind: PatchTransformer\nmetadata: {name: a}\npath: http://127.0.0.1:1/p\n",
		})
		if _, err := Kustomize(dir); err == nil || !strings.Contains(err.Error(), "is remote, and a scan fetches nothing") {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := Kustomize("https://127.0.0.1:1/base"); err == nil || strings.Contains(err.Error(), "git") {
		t.Errorf("a remote folder: %v", err)
	}
}

// No plugin runs, and no file outside the kustomization is read.
func TestKustomizeRunsNothing(t *testing.T) {
	for _, text := range []string{
		"helmCharts: [{name: a, repo: 'https://127.0.0.1:1'}]",
		"generators: [\"apiVersion: v1\\nkind: Exec\\nmetadata: {name: a, annotations: {config.kubernetes.io/function: 'exec: {path: ./x}'}}\\n\"]",
		"resources: [../../../../../../../etc/hostname]",
	} {
		if set, err := Kustomize(folder(t, map[string]string{"kustomization.yaml": text + "\n"})); err == nil {
			t.Errorf("%s: %+v", text, set)
		}
	}
}

func FuzzRemoteIn(f *testing.F) {
	f.Add("resources: [https://example.com/base]\n")
	f.Add("a: &a [*a]\nresources: *a\n")
	f.Fuzz(func(_ *testing.T, text string) { _, _ = remoteIn([]byte(text)) })
}
