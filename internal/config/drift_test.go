package config_test

import (
	"strings"
	"testing"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/entity"
	"github.com/k8guard/k8guard/internal/rule"
	"github.com/k8guard/k8guard/internal/rule/all"
)

// TestListsAreCurrent holds the lists that config repeats, for it imports nothing of ours:
// a policy may match exactly the kinds that are judged and the severities that rules have.
func TestListsAreCurrent(t *testing.T) {
	var kinds []string
	for _, k := range entity.Kinds() {
		kinds = append(kinds, string(k))
	}
	var severities []string
	for _, s := range []rule.Severity{rule.Critical, rule.High, rule.Medium, rule.Low} {
		severities = append(severities, string(s))
	}
	accepts(t, "kinds", kinds, func(m *config.Match, s string) { m.Kinds = []string{s} })
	accepts(t, "severities", severities, func(m *config.Match, s string) { m.Severities = []string{s} })

	rules, err := all.Rules(config.Rules{}, config.Owners{EmailAnnotation: "a"})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rules {
		if !strings.Contains(strings.Join(severities, " "), string(r.Meta.Severity)) {
			t.Errorf("%s has severity %q, which no policy can match", r.Meta.ID, r.Meta.Severity)
		}
	}
}

// accepts checks that Validate takes each known word, and that its message for another
// lists the known ones and no more.
func accepts(t *testing.T, what string, known []string, set func(*config.Match, string)) {
	t.Helper()
	try := func(word string) error {
		c := config.Default()
		c.Policies = []config.Policy{{Name: "a", Ladder: config.DefaultLadder()}}
		set(&c.Policies[0].Match, word)
		return config.Validate(c, nil)
	}
	for _, word := range known {
		if err := try(word); err != nil {
			t.Errorf("%s: %q is refused: %v", what, word, err)
		}
	}
	err := try("nothing")
	if err == nil || !strings.HasSuffix(err.Error(), "write one of "+strings.Join(known, ", ")) {
		t.Errorf("%s: the message lists other words: %v", what, err)
	}
}
