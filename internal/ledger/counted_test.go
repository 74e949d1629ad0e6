package ledger_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/k8guard/k8guard/internal/ledger"
)

// overviews answers one question, and counts how often it was asked.
type overviews struct {
	ledger.Projections
	asked int
	err   error
}

func (o *overviews) Overview(context.Context, ledger.Part) (ledger.Overview, error) {
	o.asked++
	return ledger.Overview{ByStatus: map[string]int{ledger.StatusOpen: 3, "hostile": 9}, ByRule: map[string]int{"A": 2, "hostile\"}": 5},
		Acted: 4, Undone: 1, Newest: time.Unix(1700000000, 5e8)}, o.err
}

// Cases are counted by statuses and rules of ours, and not again for half a minute.
func TestCasesAreCounted(t *testing.T) {
	now, from := time.Unix(1700000100, 0), &overviews{}
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(ledger.NewCounted(from, []string{"A", "B"}, func() time.Time { return now }))
	check := func(want string) {
		t.Helper()
		names := []string{"k8guard_unresolved_cases", "k8guard_ledger_enforcements", "k8guard_newest_observation_timestamp_seconds", "k8guard_cases_known"}
		if err := testutil.GatherAndCompare(registry, strings.NewReader(want), names...); err != nil {
			t.Error(err)
		}
	}
	const known = `
# HELP k8guard_cases_known 1 where the cases could be counted, else 0.
# TYPE k8guard_cases_known gauge
`
	whole := known + `k8guard_cases_known 1
# HELP k8guard_ledger_enforcements Enforcements in the ledger, by state (done, undone).
# TYPE k8guard_ledger_enforcements gauge
k8guard_ledger_enforcements{state="done"} 4
k8guard_ledger_enforcements{state="undone"} 1
# HELP k8guard_newest_observation_timestamp_seconds When the newest observation in the ledger was made; 0 where there is none.
# TYPE k8guard_newest_observation_timestamp_seconds gauge
k8guard_newest_observation_timestamp_seconds 1.7000000005e+09
# HELP k8guard_unresolved_cases Cases in the ledger that are neither standing nor resolved, by rule (other: none of this configuration's).
# TYPE k8guard_unresolved_cases gauge
k8guard_unresolved_cases{rule="A"} 2
k8guard_unresolved_cases{rule="B"} 0
k8guard_unresolved_cases{rule="other"} 5
`
	check(whole)
	now = now.Add(29 * time.Second)
	check(whole)
	if from.asked != 1 {
		t.Errorf("asked %d times within half a minute", from.asked)
	}
	now, from.err = now.Add(time.Second), errors.New("away")
	check(known + "k8guard_cases_known 0\n")
	if n, err := testutil.GatherAndCount(registry, "k8guard_cases"); err != nil || n != 0 {
		t.Errorf("%d old counts are told as new: %v", n, err)
	}
	now, from.err = now.Add(time.Minute), nil
	check(whole)
	if n, err := testutil.GatherAndCount(registry, "k8guard_cases"); err != nil || n != len(ledger.Statuses()) {
		t.Errorf("%d statuses, %v", n, err)
	}
}
