package rule_test

import (
	"strings"
	"testing"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/entity"
	"github.com/k8guard/k8guard/internal/rule"
)

func TestHostileTextIsBounded(t *testing.T) {
	long := strings.Repeat("<", 360_000)
	check := func(entity.Entity, rule.Related) rule.Result {
		return rule.Result{Violations: []v1.Violation{
			{Source: long, Message: long, Path: long, Evidence: "é" + long}, {Source: long + "2", Message: "short"}}}
	}
	engine, err := rule.NewEngine(rule.Rule{Meta: rule.Meta{ID: "X", Kinds: entity.Kinds()}, Check: check})
	if err != nil {
		t.Fatal(err)
	}
	got := engine.Judge(entity.Entity{Kind: entity.Pod}, nil, v1.FromTemplate)[0].Violations
	for _, v := range got {
		for _, text := range []string{v.Source, v.Message, v.Path, v.Evidence} {
			if len(text) > 300 {
				t.Errorf("%d bytes are kept", len(text))
			}
		}
	}
	if got[0].Source == got[1].Source {
		t.Error("two long sources became one")
	}
	if got[1].Message != "short" {
		t.Errorf("a short text was changed: %q", got[1].Message)
	}
}
