package chart

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// A kustomization reads nothing outside its folder, so that it holds copies.
func TestCopiesAreTheShippedOnes(t *testing.T) {
	for _, name := range []string{"base/install.yaml", "act/rbac-action.yaml", "act/admission.yaml", "act/permit.yaml"} {
		sameFile(t, filepath.Join(deployDir, filepath.Base(name)), filepath.Join(deployDir, "kustomize", name))
	}
}

func built(t *testing.T, dir string) []byte {
	t.Helper()
	path, err := filepath.Abs(dir)
	if err != nil {
		t.Fatal(err)
	}
	made, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), path)
	if err != nil {
		t.Fatal(err)
	}
	text, err := made.AsYaml()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// The base is install.yaml, and what acts on top of it is what the chart makes of the same.
func TestKustomize(t *testing.T) {
	base, act := rights(objects(t, built(t, deployDir+"/kustomize/base"))), rights(objects(t, built(t, deployDir+"/kustomize/act")))
	same(t, "base", base, rights(objects(t, read(t, deployDir+"/install.yaml"))))
	same(t, "act", act, rights(objects(t, read(t, goldenFile("run-enforce")))))
	for _, dir := range []string{"base", "act"} {
		rules := filepath.Join(t.TempDir(), "rules.yaml")
		if err := os.WriteFile(rules, []byte(strict), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, f := range scannedBy(t, "-k", deployDir+"/kustomize/"+dir, "--config", rules).Findings {
			if f.Verdict.State == "violated" && f.Verdict.Rule != "SINGLE_REPLICA" && !strings.HasPrefix(f.Verdict.Rule, "REQUIRED_NAMESPACE") {
				t.Errorf("%s: %+v", dir, f)
			}
		}
	}
}
