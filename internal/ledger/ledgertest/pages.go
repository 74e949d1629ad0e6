package ledgertest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
)

// rows is what the report lists of a docket.
func rows(d docket.Docket) []ledger.CaseRow {
	var all []ledger.CaseRow
	for _, c := range d.Cases {
		confirmed, _ := c.Count(d.OwnerOf(c.Rule).Key())
		all = append(all, ledger.CaseRow{ID: c.ID, Docket: d.Key, Cluster: d.Cluster, Root: d.Root, Owner: d.Owner,
			Status: ledger.Status(d, c), Confirmed: confirmed, Case: c})
	}
	return all
}

// compare is the order of the pages: worst severity, newest, then by ID.
func compare(a, b ledger.CaseRow) int {
	return cmp.Or(cmp.Compare(rank(a.Case.Severity), rank(b.Case.Severity)),
		b.Case.FirstSeen.Compare(a.Case.FirstSeen), cmp.Compare(a.ID, b.ID))
}

func rank(severity string) int {
	known := []string{"critical", "high", "medium", "low"}
	if i := slices.Index(known, severity); i >= 0 {
		return i
	}
	return len(known)
}

func matches(q ledger.CaseQuery, r ledger.CaseRow) bool {
	is := func(want, got string) bool { return want == "" || want == got }
	status := slices.Contains(q.Statuses, r.Status)
	if len(q.Statuses) == 0 {
		status = r.Status != ledger.StatusStanding && r.Status != ledger.StatusResolved
	}
	return status && strings.HasPrefix(r.ID, q.ID) && is(q.Rule, r.Case.Rule) && is(q.Severity, r.Case.Severity) && is(q.Kind, r.Root.Kind) &&
		is(q.Namespace, r.Root.Namespace) && is(q.Cluster, r.Cluster) &&
		(q.Owner == "" || slices.Contains(r.Owner.Emails, q.Owner))
}

func pages(t *testing.T, l ledger.Ledger) {
	all := variety(t, l)
	everyStatus := ledger.Statuses()
	for _, q := range []ledger.CaseQuery{{Statuses: everyStatus}, {}, {Namespace: "shop"}, {Owner: "a@example.com"}, {Severity: "odd"}} {
		var want []string
		for _, row := range all {
			if matches(q, row) {
				want = append(want, row.ID)
			}
		}
		for _, limit := range []int{1, 2, 7, len(want) - 1, len(want), len(want) + 1, 500} {
			q.Limit, q.Cursor = max(limit, 1), ""
			if got := walk(t, l, q, len(want)); !slices.Equal(got, want) {
				t.Errorf("%+v: pages together\n got %v\nwant %v", q, got, want)
			}
		}
	}
	page, err := l.Cases(t.Context(), ledger.CaseQuery{Statuses: everyStatus})
	if err != nil || len(page.Rows) != 50 || page.Total != len(all) || page.Next == "" {
		t.Errorf("limit 0 is 50: %d rows of %d, next %q, %v", len(page.Rows), page.Total, page.Next, err)
	}
}

// walk reads every page and returns the IDs in order.
func walk(t *testing.T, l ledger.Ledger, q ledger.CaseQuery, total int) []string {
	t.Helper()
	var ids []string
	for n := 0; ; n++ {
		page, err := l.Cases(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if len(page.Rows) > q.Limit || page.Total != total || n > total {
			t.Fatalf("%+v: page %d has %d rows, total %d, want %d", q, n, len(page.Rows), page.Total, total)
		}
		for _, row := range page.Rows {
			ids = append(ids, row.ID)
		}
		if page.Next == "" {
			return ids
		}
		if len(page.Rows) != q.Limit {
			t.Fatalf("%+v: page %d is short (%d rows) and not the last", q, n, len(page.Rows))
		}
		q.Cursor = page.Next
	}
}

func casesFollow(t *testing.T, l ledger.Ledger) {
	list := func() []ledger.CaseRow {
		page, err := l.Cases(t.Context(), ledger.CaseQuery{Statuses: []string{"open", "acted"}})
		if err != nil {
			t.Fatal(err)
		}
		return page.Rows
	}
	d := sample("one", find("IMAGE_REPO", "high", docket.Open), find("PRIVILEGED", "low", docket.Open))
	other := sample("two", find("IMAGE_REPO", "medium", docket.Open))
	d.Version = store(t, l, d)
	store(t, l, other)
	d.Cases[0].State, d.Owner.Emails = docket.Acted, []string{"new@example.com"}
	d.Cases[1].Rule = "RENAMED"
	gone := d.Cases[1].ID
	d.Cases[1].ID = docket.CaseID(d.Key, "RENAMED", "app", d.Cases[1].From)
	d.Version = store(t, l, d)
	want := append(rows(d), rows(other)...)
	slices.SortFunc(want, compare)
	same(t, "after the change", list(), want)
	if _, err := l.Case(t.Context(), gone); err == nil {
		t.Errorf("case %s is still found", gone)
	}
	for owner, n := range map[string]int{"a@example.com": 1, "new@example.com": 2} {
		page, err := l.Cases(t.Context(), ledger.CaseQuery{Owner: owner})
		if err != nil || page.Total != n {
			t.Errorf("cases of %s: %d, %v; want %d", owner, page.Total, err, n)
		}
	}
	d.Cases = nil
	store(t, l, d)
	same(t, "after the docket lost its cases", list(), rows(other))
}

func hostile(t *testing.T, l ledger.Ledger) {
	text := "<script>'\"; DROP TABLE cases; -- \r\n\x00\u202e\u2028 %s"
	d := sample("one", find("IMAGE_REPO", "high", docket.Open))
	d.Root.Name, d.Root.Namespace, d.Cases[0].Evidence, d.Owner.Emails = text, text, text, []string{text}
	d.Version = store(t, l, d, docket.Entry{At: start(), Kind: docket.EntrySeen, Text: text})
	for _, q := range []ledger.CaseQuery{{}, {Namespace: text}, {Owner: text}} {
		page, err := l.Cases(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		same(t, fmt.Sprintf("%+v", q), page.Rows, rows(d))
	}
	lines, err := l.History(t.Context(), d.Key, 0, 1)
	if err != nil || len(lines) != 1 || lines[0].Entry.Text != text || lines[0].Root.Name != text {
		t.Errorf("history: %+v, %v", lines, err)
	}
}
