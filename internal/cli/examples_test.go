package cli

import (
	"errors"
	"os"
	"os/exec"
	"reflect"
	"regexp"
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

// Without an account the script says what to type, not what its shell thinks.
func TestTheScriptForKubeconfigsSaysWhatToType(t *testing.T) {
	for _, args := range [][]string{nil, {"a", "b"}} {
		out, err := exec.CommandContext(t.Context(), "sh", append([]string{"../../deploy/kubeconfig.sh"}, args...)...).CombinedOutput()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 2 || !strings.HasPrefix(string(out), "name the account: sh deploy/kubeconfig.sh k8guard-discover") {
			t.Errorf("%q: %v, %s", args, err, out)
		}
	}
}

// What bounds acts is named in full where people raise it: who lifts one bound meets the next.
func TestEveryBudgetIsNamedWhereItIsRaised(t *testing.T) {
	for _, file := range []string{"../../examples/try.yaml", "../../docs/operators/enforcement.md"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		b := reflect.TypeFor[config.Budget]()
		for i := range b.NumField() {
			if name, _, _ := strings.Cut(b.Field(i).Tag.Get("yaml"), ","); name != "percent" && !regexp.MustCompile(`budget: \{[^}]*\b`+name+`: `).Match(text) && name != "round" {
				t.Errorf("%s does not name enforce.budget.%s", file, name)
			}
		}
	}
}
