package cli

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/config"
)

// The ladder to try things with loads as it is shipped and as its comments say, acts on nothing
// until it is told to, and comes to its act within minutes.
func TestTheLadderToTryLoads(t *testing.T) {
	text, err := os.ReadFile("../../examples/try.yaml")
	if err != nil {
		t.Fatal(err)
	}
	acts := strings.NewReplacer("  # actionKubeconfig", "  actionKubeconfig", "mode: safe", "mode: enforce").Replace(string(text))
	for mode, text := range map[string]string{config.ModeSafe: string(text), config.ModeEnforce: acts} {
		file := write(t, "try.yaml", text)
		ids, err := ruleIDs()
		if err != nil {
			t.Fatal(err)
		}
		c, _, err := config.Load(config.Source{File: file, Rules: ids})
		if err != nil || c.Enforce.Mode != mode || len(c.Policies) != 1 {
			t.Fatalf("%s: %v, %+v", mode, err, c.Enforce)
		}
		l := c.Policies[0].Ladder
		steps := []time.Duration{l.Standing, time.Duration(l.Warnings-1) * l.Wait, l.LastWait, c.Enforce.MinimumAge, c.Notify.Gap, c.Enforce.Budget.Round}
		if slices.Min(steps) <= 0 || slices.Max(steps) > time.Minute {
			t.Errorf("%s: %v", mode, steps)
		}
	}
}
