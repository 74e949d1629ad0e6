package rule

import (
	"testing"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/entity"
)

// stopwatch goes on by a second at each look.
type stopwatch struct {
	at   time.Time
	took map[string]time.Duration
}

func (s *stopwatch) Now() time.Time {
	s.at = s.at.Add(time.Second)
	return s.at
}

func (s *stopwatch) Took(rule string, d time.Duration) { s.took[rule] += d }

// Each rule that was asked is told to the meter, once; the engine itself is left as it was.
func TestMeasured(t *testing.T) {
	pass := func(entity.Entity, Related) Result { return Result{} }
	around := one("AROUND", pass)
	around.Meta.Reads = []entity.Kind{entity.Node}
	engine, err := NewEngine(one("PANICS", func(entity.Entity, Related) Result { panic("odd object") }), around, one("PASSES", pass))
	if err != nil {
		t.Fatal(err)
	}
	clock := &stopwatch{took: map[string]time.Duration{}}
	measured := engine.Measured(clock)
	if got := measured.JudgeAlone(entity.Entity{Kind: entity.Pod}, v1.FromPod); len(got) != 2 {
		t.Errorf("%+v", got)
	}
	engine.Judge(entity.Entity{Kind: entity.Pod}, Nothing{}, v1.FromPod)
	if len(clock.took) != 2 || clock.took["PANICS"] != time.Second || clock.took["PASSES"] != time.Second {
		t.Errorf("%v", clock.took)
	}
}
