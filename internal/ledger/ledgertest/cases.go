package ledgertest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
)

// variety stores dockets that differ in everything that a query can ask for, and returns
// their rows in the order of the pages.
func variety(t *testing.T, l ledger.Ledger) []ledger.CaseRow {
	t.Helper()
	severities := []string{"critical", "high", "medium", "low", "odd"}
	plans := []docket.Plan{{}, {Step: "none", Reason: "exempt"}, {Step: "none", Reason: "needs-human"}}
	states := []docket.State{docket.Open, docket.Standing, docket.Acted, docket.Contested, docket.Resolved, docket.Open, docket.Open}
	var all []ledger.CaseRow
	for i := range 42 {
		d := sample(fmt.Sprintf("root-%02d", i))
		d.Cluster = []string{"prod", "test"}[i%2]
		d.Root.Kind = []string{"Deployment", "Ingress", "Namespace"}[i%3]
		d.Root.Namespace = []string{"shop", "pay", "ads", "it's"}[i%4]
		d.Owner.Emails = [][]string{{"a@example.com"}, {"a@example.com", "b@example.com"}, nil}[i/2%3]
		for j, rule := range []string{"IMAGE_REPO", "PRIVILEGED"} {
			c := find(rule, severities[(i+j)%5], states[(i+2*j)%7])
			c.Plan, c.FirstSeen = plans[i%3], start().Add(time.Duration(i/4)*time.Minute)
			c.ID = docket.CaseID(d.Key, c.Rule, c.Source, c.From)
			if i%5 == 0 {
				c.Notices = []docket.NoticeRef{{Key: "n", Purpose: docket.Warning, N: 1, Owner: d.Owner.Key(), Result: docket.Sent, At: start()}}
			}
			d.Cases = append(d.Cases, c)
		}
		if i%4 == 0 { // of some the act was taken back
			d.Enforcement = &docket.Enforcement{ID: "e", State: []docket.EnforcementState{docket.Undid, docket.Done}[i/4%2]}
		}
		store(t, l, d)
		all = append(all, rows(d)...)
	}
	slices.SortFunc(all, compare)
	return all
}

// each filter with the values that it is tried with; "" and nil do not filter.
func queries() []ledger.CaseQuery {
	var all []ledger.CaseQuery
	for _, statuses := range [][]string{nil, {"open"}, {"standing"}, {"acted", "contested"}, {"undone"}, {"acted"}, {"resolved"}, {"exempt"}, {"needs-human", "open"}, {"nonsense"}} {
		all = append(all, ledger.CaseQuery{Statuses: statuses})
	}
	for _, v := range []string{"IMAGE_REPO", "image_repo", "%"} {
		all = append(all, ledger.CaseQuery{Rule: v})
	}
	for _, v := range []string{"critical", "odd"} {
		all = append(all, ledger.CaseQuery{Severity: v})
	}
	for _, v := range []string{"shop", "it's", "' OR 1=1 --", "sho"} {
		all = append(all, ledger.CaseQuery{Namespace: v})
	}
	for _, v := range []string{"a@example.com", "b@example.com", "a@example.com,b@example.com"} {
		all = append(all, ledger.CaseQuery{Owner: v})
	}
	return append(all, ledger.CaseQuery{Kind: "Ingress"}, ledger.CaseQuery{Kind: "Pod"},
		ledger.CaseQuery{Cluster: "test"}, ledger.CaseQuery{Cluster: "cluster-uid"},
		ledger.CaseQuery{Rule: "PRIVILEGED", Severity: "high"},
		ledger.CaseQuery{Statuses: []string{"open", "exempt", "needs-human"}, Rule: "PRIVILEGED", Kind: "Deployment", Cluster: "prod"},
		ledger.CaseQuery{Statuses: []string{"open", "exempt", "needs-human", "acted", "standing", "resolved", "contested"},
			Rule: "IMAGE_REPO", Severity: "critical", Kind: "Deployment", Namespace: "shop", Cluster: "prod", Owner: "a@example.com"})
}

func filters(t *testing.T, l ledger.Ledger) {
	all := variety(t, l)
	var hits int
	one := all[0].ID
	for _, q := range append(queries(), ledger.CaseQuery{ID: one}, ledger.CaseQuery{ID: one[:4]}, ledger.CaseQuery{ID: "c-"},
		ledger.CaseQuery{ID: "c-%"}, ledger.CaseQuery{ID: strings.ToUpper(one)}, ledger.CaseQuery{ID: one + "a"}, ledger.CaseQuery{ID: "c-", Namespace: "shop"}) {
		var want []ledger.CaseRow
		for _, row := range all {
			if matches(q, row) {
				want = append(want, row)
			}
		}
		hits += len(want)
		q.Limit = 500
		page, err := l.Cases(t.Context(), q)
		if err != nil {
			t.Errorf("%+v: %v", q, err)
			continue
		}
		same(t, fmt.Sprintf("%+v", q), page.Rows, want)
		if page.Total != len(want) || page.Next != "" {
			t.Errorf("%+v: total %d, next %q; want %d and the end", q, page.Total, page.Next, len(want))
		}
	}
	if hits < 100 {
		t.Errorf("the queries hit only %d rows: the test shows little", hits)
	}
}

func badQueries(t *testing.T, l ledger.Ledger) {
	variety(t, l)
	for name, q := range map[string]ledger.CaseQuery{
		"limit below": {Limit: -1}, "limit above": {Limit: 501},
		"cursor of nobody": {Cursor: "nonsense!"}, "cursor of noise": {Cursor: "AAAA"}, "cursor of quotes": {Cursor: `"'`},
	} {
		if page, err := l.Cases(t.Context(), q); err == nil {
			t.Errorf("%s: %d rows and no error", name, len(page.Rows))
		}
	}
	for _, limit := range []int{-1, 0, 1001} {
		if _, err := l.History(t.Context(), key("root-00"), 0, limit); err == nil {
			t.Errorf("history with limit %d: no error", limit)
		}
	}
}

func caseByID(t *testing.T, l ledger.Ledger) {
	d := sample("one", find("IMAGE_REPO", "high", docket.Open), find("PRIVILEGED", "high", docket.Resolved))
	d.Version = store(t, l, d)
	for _, c := range d.Cases {
		got, err := l.Case(t.Context(), c.ID)
		if err != nil {
			t.Fatal(err)
		}
		same(t, "docket of "+c.ID, got, d)
	}
	for _, id := range []string{"", "c-000000000000", d.Cases[0].ID[:5], "%"} {
		if _, err := l.Case(t.Context(), id); !errors.Is(err, ledger.ErrNotFound) {
			t.Errorf("case %q: %v, want ErrNotFound", id, err)
		}
	}
}
