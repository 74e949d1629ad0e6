package all

import (
	"slices"
	"testing"

	"github.com/k8guard/k8guard/internal/config"
)

// Each key of a rule is one of the configuration, and no key below rules is nobody's.
func TestEveryParameterIsNamedByItsRule(t *testing.T) {
	rules, err := Rules(config.Rules{}, config.Owners{})
	if err != nil {
		t.Fatal(err)
	}
	var named []string
	for _, r := range rules {
		for _, key := range r.Meta.Keys {
			named = append(named, key)
			if _, known := config.Describe(config.Default(), key); !known {
				t.Errorf("%s: no key is called %s", r.Meta.ID, key)
			}
		}
	}
	keys := config.Keys("rules")
	if len(keys) < 5 {
		t.Fatalf("keys below rules: %v", keys)
	}
	for _, key := range keys {
		if key != "rules.disabled" && !slices.Contains(named, key) {
			t.Errorf("%s is no parameter of any rule: name it in its Meta.Keys", key)
		}
	}
}
