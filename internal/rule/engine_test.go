package rule

import (
	"testing"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/entity"
)

func one(id string, check func(entity.Entity, Related) Result) Rule {
	return Rule{Meta: Meta{ID: id, Kinds: []entity.Kind{entity.Pod}, Revision: 1}, Check: check}
}

func TestJudge(t *testing.T) {
	engine, err := NewEngine(
		one("PANICS", func(entity.Entity, Related) Result { panic("odd object") }),
		one("PASSES", func(entity.Entity, Related) Result { return Result{} }),
		one("FINDS", func(entity.Entity, Related) Result { return Result{Violations: []v1.Violation{{Source: "c"}}} }),
	)
	if err != nil {
		t.Fatal(err)
	}
	verdicts := engine.Judge(entity.Entity{Kind: entity.Pod}, nil, v1.FromPod)
	for i, want := range []v1.VerdictState{v1.Unknown, v1.Pass, v1.Violated} {
		if verdicts[i].State != want {
			t.Errorf("%s: %s, want %s", verdicts[i].Rule, verdicts[i].State, want)
		}
	}
	if v := verdicts[2].Violations[0]; v.Type != "FINDS" || v.From != v1.FromPod {
		t.Errorf("stamped %+v", v)
	}
	if got := engine.Judge(entity.Entity{Kind: entity.Ingress}, nil, v1.FromPod); len(got) != 0 {
		t.Errorf("another kind was judged: %+v", got)
	}
}

func TestNewEngineRefuses(t *testing.T) {
	pass := func(entity.Entity, Related) Result { return Result{} }
	if _, err := NewEngine(one("A", pass), one("A", pass)); err == nil {
		t.Error("a duplicate is accepted")
	}
	if _, err := NewEngine(one("A", nil)); err == nil {
		t.Error("a rule without a check is accepted")
	}
}
