package enforce

import (
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

func rows08() []row {
	return []row{
		{name: "unread", change: func(f *Facts) { f.Grant.Err = errTest() }, says: []string{"budget cannot be read", "connection refused"}},
		{name: "round open", change: func(f *Facts) { f.Grant.Pending = true }, says: []string{"waits for the budget's round"}},
		{name: "no grant", change: func(f *Facts) { f.Grant.ID, f.Enforcement.Grant = "", "" }, says: []string{"waits for the budget's round"}},
		{name: "expires now", change: func(f *Facts) { f.Grant.Expires = f.Now }, says: []string{"grant expired"}},
		{name: "expired", ingress: true, change: func(f *Facts) { f.Grant.Expires = f.Now.Add(-time.Hour) }, says: []string{"grant expired"}},
		{name: "no expiry on record", change: func(f *Facts) { f.Grant.Expires = time.Time{} }, says: []string{"grant expired"}},
	}
}

func TestGate08Budget(t *testing.T) { prove(t, 8, "budget", rows08()) }

func rows09() []row {
	over := func(f *Facts) { f.Grant, f.Enforcement.Grant = Grant{Over: "7 acts in an hour, 5 allowed"}, "" }
	says := []string{"over budget: none of the round is done", "the budget page says why", "raise the budget only if"}
	return []row{
		{name: "deployment", change: over, says: says, human: true},
		{name: "ingress", ingress: true, change: over, says: says, human: true},
		{name: "even with a grant", change: func(f *Facts) { f.Grant.Over = "7 acts in an hour, 5 allowed" }, says: says, human: true},
	}
}

func TestGate09OverBudgetNone(t *testing.T) { prove(t, 9, "over-budget-none", rows09()) }

func rows10() []row {
	return []row{
		{name: "unread", change: func(f *Facts) { f.Breaker.Err = errTest() }, says: []string{"breaker cannot be read", "connection refused"}},
		{name: "open", change: func(f *Facts) { f.Breaker = Switch{On: true, Text: "2 undos within an hour"} },
			says: []string{"is open; a person closes it"}},
		{name: "open without a reason", ingress: true, change: func(f *Facts) { f.Breaker.On = true }, says: []string{"is open"}},
	}
}

func TestGate10Breaker(t *testing.T) { prove(t, 10, "breaker", rows10()) }

func rows15() []row {
	return []row{
		{name: "freeze unread", change: func(f *Facts) { f.Freeze.Err = errTest() }, says: []string{"freeze cannot be read", "connection refused"}},
		{name: "frozen", change: func(f *Facts) { f.Freeze = Switch{On: true, Text: "rule/IMAGE_REPO"} },
			says: []string{"frozen: rule/IMAGE_REPO", "k8guard unfreeze"}},
		{name: "permit unread", change: func(f *Facts) { f.Permit.Err = errTest() }, says: []string{"permit cannot be read", "counts as frozen"}},
		{name: "permit absent", change: func(f *Facts) {
			f.Permit.Err = apierrors.NewNotFound(schema.GroupResource{Resource: "configmaps"}, "k8guard-permit")
		}, says: []string{`no permit: the ConfigMap "k8guard-permit" is absent; people write it`}},
		{name: "no permit", change: func(f *Facts) { f.Permit = Switch{Text: "x", Word: word("no")} },
			says: []string{`no permit: the ConfigMap "k8guard-permit" says enforcement: "no", not "enabled"; people write it`}},
		{name: "permit of an odd word", change: func(f *Facts) { f.Permit = Switch{Text: "x", Word: word("off: an incident in payments")} },
			says: []string{`says enforcement: something else, not "enabled"`}},
		{name: "permit of nobody", ingress: true, change: func(f *Facts) { f.Permit = Switch{} }, says: []string{"no permit"}},
	}
}

func TestGate15FreezeAndPermit(t *testing.T) { prove(t, 15, "freeze-and-permit", rows15()) }

// TestARefusalTellsNothingOfOthers gives the gate words about other namespaces: what it says
// is kept in a docket, which who may see its namespace reads.
func TestARefusalTellsNothingOfOthers(t *testing.T) {
	for name, change := range map[string]func(*Facts){
		"budget": func(f *Facts) {
			f.Grant, f.Enforcement.Grant = Grant{Over: "2 acts in a day for namespace payments, 1 allowed"}, ""
		},
		"breaker": func(f *Facts) { f.Breaker = Switch{On: true, Text: "the order fell back: Deployment payments/web"} },
		"permit": func(f *Facts) {
			f.Permit = Switch{Text: "off: incident in payments", Word: word("off: incident in payments")}
		},
	} {
		f := validDeployment()
		change(&f)
		if no := Judge(f); no == nil || strings.Contains(no.Text, "payments") {
			t.Errorf("%s: %v", name, no)
		}
	}
}
