package enforce

import "fmt"

// Refusal is the gate's no, by the rule that gave it.
type Refusal struct {
	Rule  int
	Name  string
	Text  string
	Human bool // only a person can change it
	// Reset: a real write was put back at once, so that none is ever sent again.
	Reset bool
}

// Error makes a refusal an error.
func (r Refusal) Error() string { return fmt.Sprintf("gate rule %d, %s: %s", r.Rule, r.Name, r.Text) }

// No is what a predicate says: empty Text means yes.
type No struct {
	Text  string
	Human bool
}

// Rule is one predicate of the gate.
type Rule struct {
	Number int
	Name   string
	Check  func(Facts) No
}

// Gate returns the seventeen rules, in order. Removing a line here must break the test
// that bears the rule's name: make gate-mutants tries each.
func Gate() []Rule {
	return []Rule{
		{1, "observe-by-default", observeByDefault},
		{2, "protected", protected},
		{3, "reversible-only", reversibleOnly},
		{4, "mark-wait-act", markWaitAct},
		{5, "confirmed-warnings", confirmedWarnings},
		{6, "re-verify", reVerify},
		{7, "preconditions", preconditions},
		{8, "budget", budget},
		{9, "over-budget-none", overBudgetNone},
		{10, "breaker", breakerClosed},
		{11, "unknown-is-not-guilty", unknownIsNotGuilty},
		{12, "root-and-manager", rootAndManager},
		{13, "availability", availability},
		{14, "undo-possible", undoPossible},
		{15, "freeze-and-permit", freezeAndPermit},
		{16, "explainable", explainable},
		{17, "exemptions", exemptions},
	}
}

// Judge asks every rule and returns the first no, or nil. What a person must change goes
// before what passes by itself, so that nobody waits for a budget in vain.
func Judge(f Facts) *Refusal {
	var first *Refusal
	for _, r := range Gate() {
		no := r.Check(f)
		if no.Text == "" {
			continue
		}
		refusal := &Refusal{Rule: r.Number, Name: r.Name, Text: no.Text, Human: no.Human}
		if no.Human {
			return refusal
		}
		if first == nil {
			first = refusal
		}
	}
	return first
}

func yes() No { return No{} }

func no(format string, args ...any) No { return No{Text: fmt.Sprintf(format, args...)} }

func human(format string, args ...any) No {
	return No{Text: fmt.Sprintf(format, args...), Human: true}
}
