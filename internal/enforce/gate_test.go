package enforce

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// row is valid facts changed in one respect. Without says, the gate must still permit.
type row struct {
	name    string
	ingress bool // change the ingress' facts, not the deployment's
	change  func(*Facts)
	says    []string
	human   bool
	also    []int // other rules that cannot but refuse the same fact
}

func (r row) facts() Facts {
	f := validDeployment()
	if r.ingress {
		f = validIngress()
	}
	r.change(&f)
	return f
}

// prove runs a rule's table: valid facts pass, and each row must be refused by this rule
// and by no other.
func prove(t *testing.T, number int, name string, rows []row) {
	t.Helper()
	i := slices.IndexFunc(Gate(), func(r Rule) bool { return r.Number == number && r.Name == name })
	if i < 0 {
		t.Fatalf("Gate() has no rule %d, %s", number, name)
	}
	check := Gate()[i].Check
	for _, f := range []Facts{validDeployment(), validIngress()} {
		if no := check(f); no.Text != "" {
			t.Errorf("refuses a valid %s: %s", f.Docket.Root.Kind, no.Text)
		}
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			f := r.facts()
			if len(r.says) == 0 {
				if got := Judge(f); got != nil {
					t.Fatalf("refused: %v", got)
				}
				return
			}
			want := append([]int{number}, r.also...)
			slices.Sort(want)
			if got := refusing(f); !slices.Equal(got, want) {
				t.Fatalf("rules %v refuse, want %v", got, want)
			}
			no := check(f)
			for _, part := range r.says {
				if !strings.Contains(no.Text, part) {
					t.Errorf("%q does not say %q", no.Text, part)
				}
			}
			if no.Human != r.human {
				t.Errorf("needs a human: %v, want %v (%s)", no.Human, r.human, no.Text)
			}
			if got := Judge(f); len(r.also) == 0 && *got != (Refusal{number, name, no.Text, no.Human, false}) {
				t.Errorf("Judge says %v", got)
			}
		})
	}
}

// refusing lists the rules that say no.
func refusing(f Facts) []int {
	var numbers []int
	for _, r := range Gate() {
		if r.Check(f).Text != "" {
			numbers = append(numbers, r.Number)
		}
	}
	return numbers
}

func TestValidFactsArePermitted(t *testing.T) {
	for name, f := range map[string]Facts{"deployment": validDeployment(), "ingress": validIngress()} {
		if got := Judge(f); got != nil {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestNoFactsAreRefused(t *testing.T) {
	if Judge(Facts{}) == nil {
		t.Fatal("empty facts were permitted")
	}
}

func TestTheGateHasSeventeenRules(t *testing.T) {
	names := map[string]bool{}
	for i, r := range Gate() {
		if r.Number != i+1 || r.Name == "" || names[r.Name] || r.Check == nil {
			t.Errorf("rule %d at place %d: %q", r.Number, i+1, r.Name)
		}
		names[r.Name] = true
	}
	if len(names) != 17 {
		t.Errorf("%d rules, want 17", len(names))
	}
}

func TestTheManualListsTheGate(t *testing.T) {
	manual, err := os.ReadFile(filepath.Join("..", "..", "docs", "gate.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range Gate() {
		row := regexp.MustCompile(fmt.Sprintf("(?m)^\\| %d \\| %s \\|.*`TestGate%02d[A-Za-z]+` \\|$", r.Number, r.Name, r.Number))
		if len(row.FindAll(manual, -1)) != 1 {
			t.Errorf("docs/gate.md has no row, or more than one, for rule %d, %s, with its test", r.Number, r.Name)
		}
	}
}

// worse are all the refused rows of all rules.
func worse(ingress bool) []row {
	var all []row
	for _, rows := range [][]row{rows01(), rows02(), rows03(), rows04(), rows05(), rows06(), rows07(), rows08(), rows09(),
		rows10(), rows11(), rows12(), rows13(), rows14(), rows15(), rows16(), rows17()} {
		for _, r := range rows {
			if len(r.says) > 0 && r.ingress == ingress {
				all = append(all, r)
			}
		}
	}
	return all
}

// TestWorseIsNeverPermitted piles wrongs upon wrongs in any order: once refused, always
// refused, and with a person's word first where a person is needed.
func TestWorseIsNeverPermitted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ingress := rapid.Bool().Draw(t, "ingress")
		all := worse(ingress)
		f := row{ingress: ingress, change: func(*Facts) {}}.facts()
		for _, i := range rapid.SliceOfN(rapid.IntRange(0, len(all)-1), 1, 12).Draw(t, "rows") {
			all[i].change(&f)
			got := Judge(f)
			if got == nil {
				t.Fatalf("permitted after %s", all[i].name)
			}
			if want := expected(f); *got != want {
				t.Fatalf("Judge says %v, want %v", got, want)
			}
		}
	})
}

// TestGradualWorseningNeverPermits moves times and counts by degrees instead: permission
// may end at some degree, and must not come back.
func TestGradualWorseningNeverPermits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := row{ingress: rapid.Bool().Draw(t, "ingress"), change: func(*Facts) {}}.facts()
		steps := degrees()
		refused := false
		for range rapid.IntRange(1, 15).Draw(t, "steps") {
			i := rapid.IntRange(0, len(steps)-1).Draw(t, "step")
			steps[i](t, &f)
			now := Judge(f) != nil
			if refused && !now {
				t.Fatalf("step %d turned a refusal into permission", i)
			}
			refused = now
		}
	})
}

// expected is the first rule that needs a person, else the first that refuses.
func expected(f Facts) Refusal {
	var found []Refusal
	for _, r := range Gate() {
		if no := r.Check(f); no.Text != "" {
			found = append(found, Refusal{r.Number, r.Name, no.Text, no.Human, false})
		}
	}
	slices.SortStableFunc(found, func(a, b Refusal) int {
		switch {
		case a.Human == b.Human:
			return 0
		case a.Human:
			return -1
		}
		return 1
	})
	return found[0]
}

func TestJudgePrefersWhatAPersonMustChange(t *testing.T) {
	f := validDeployment()
	f.Config.Mode = "safe"                     // rule 1 passes by itself
	f.Around.Disruption = []string{"checkout"} // rule 13 needs a person
	if got := Judge(f); got == nil || got.Rule != 13 || !got.Human {
		t.Fatalf("Judge says %v, want rule 13", got)
	}
}
