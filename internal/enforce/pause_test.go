package enforce

import (
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/docket"
)

// A standing no is asked for ever less often, also when its words count what changes.
func TestAStandingNoIsAskedForEverLessOften(t *testing.T) {
	e := &Enforcer{}
	e.Config.Enforce.Budget.Round = time.Minute
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	before := func(human bool, rule int, text string) *docket.Refusal {
		return &docket.Refusal{Rule: rule, Text: text, Human: human, At: at, Until: at.Add(20 * time.Minute)}
	}
	over := Refusal{Rule: 9, Text: "over budget: 300 acts", Human: true}
	frozen := Refusal{Rule: 15, Text: "frozen"}
	for name, test := range map[string]struct {
		no     Refusal
		before *docket.Refusal
		want   time.Duration
	}{
		"the first, for a person":   {over, nil, 10 * time.Minute},
		"the same":                  {over, before(true, 9, over.Text), 40 * time.Minute},
		"other figures":             {over, before(true, 9, "over budget: 449 acts"), 40 * time.Minute},
		"another rule":              {over, before(true, 13, "a budget matches it"), 10 * time.Minute},
		"it passes by itself":       {frozen, nil, time.Minute},
		"the same, by itself":       {frozen, before(false, 15, "frozen"), 30 * time.Minute},
		"another reason, by itself": {frozen, before(false, 15, "no permit"), time.Minute},
	} {
		if got := e.pause(test.no, test.before); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}
