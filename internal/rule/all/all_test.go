package all

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/rule"
)

func TestRules(t *testing.T) {
	all, err := Rules(config.Rules{}, config.Owners{})
	if err != nil || len(all) < 20 {
		t.Fatalf("%d rules, %v", len(all), err)
	}
	fewer, err := Rules(config.Rules{Disabled: []string{"PRIVILEGED"}}, config.Owners{})
	if err != nil || len(fewer) != len(all)-1 || slices.ContainsFunc(fewer, func(r rule.Rule) bool { return r.Meta.ID == "PRIVILEGED" }) {
		t.Fatalf("%d rules of %d, %v", len(fewer), len(all), err)
	}
	if _, err := Rules(config.Rules{Disabled: []string{"PRIVILEGD"}}, config.Owners{}); err == nil {
		t.Error("an unknown name in disabled is accepted")
	}
}

// A rule without manifests is tested by nothing, and one that has some and is not in the list
// judges nobody. That all manifests are run, ruletest says.
func TestTheListHasWhatHasManifests(t *testing.T) {
	all, err := Rules(config.Rules{}, config.Owners{})
	if err != nil {
		t.Fatal(err)
	}
	folders, err := filepath.Glob(filepath.Join("..", "*", "testdata", "[A-Z]*"))
	if err != nil {
		t.Fatal(err)
	}
	proved := map[string]int{}
	for _, f := range folders {
		proved[filepath.Base(f)]++
	}
	for _, r := range all {
		if proved[r.Meta.ID] != 1 {
			t.Errorf("%s has %d folders of manifests; write testdata/%s beside its code", r.Meta.ID, proved[r.Meta.ID], r.Meta.ID)
		}
		delete(proved, r.Meta.ID)
	}
	for id := range proved {
		t.Errorf("%s has manifests, and is no rule of K8Guard; add it to the list in all.go", id)
	}
}
