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

// A rule without manifests is tested by nothing; that those that are there are run, ruletest says.
func TestEveryRuleHasManifests(t *testing.T) {
	all, err := Rules(config.Rules{}, config.Owners{})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range all {
		if at, err := filepath.Glob(filepath.Join("..", "*", "testdata", r.Meta.ID)); err != nil || len(at) != 1 {
			t.Errorf("%s has manifests in %q (%v); write testdata/%s beside its code", r.Meta.ID, at, err, r.Meta.ID)
		}
	}
}
