package ledgertest

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
)

// badPage wants a bad cursor and a bad limit refused.
func badPage(t *testing.T, ask func(limit int, cursor string) error) {
	t.Helper()
	if err := ask(1, "?"); !errors.Is(err, ledger.ErrCursor) {
		t.Errorf("bad cursor: %v", err)
	}
	for _, limit := range []int{-1, 501} {
		if err := ask(limit, ""); err == nil {
			t.Errorf("no error with limit %d", limit)
		}
	}
}

func due(t *testing.T, l ledger.Ledger) {
	for i := range 12 {
		c := find("IMAGE_REPO", "high", docket.Open)
		c.Plan = docket.Plan{Step: "wait", Next: "notify", At: start().Add(time.Duration(i/2) * time.Hour)}
		resolved := find("PRIVILEGED", "high", docket.Resolved)
		resolved.Plan.At = start()
		human, contested := find("HUMAN", "low", docket.Open), find("CONTESTED", "low", docket.Contested)
		human.Plan = docket.Plan{Step: "wait", Reason: "needs-human", Next: "act", At: start()}
		contested.Plan.At = start()
		store(t, l, sample(fmt.Sprintf("root-%02d", i), c, resolved, find("NONE", "low", docket.Open), human, contested))
	}
	for _, limit := range []int{1, 3, 500} {
		var got []string
		q := ledger.DueQuery{Until: start().Add(4 * time.Hour), Limit: limit}
		for more := true; more; more = q.Cursor != "" {
			page, err := l.Due(t.Context(), q)
			if err != nil || len(page.Rows) > limit {
				t.Fatal(len(page.Rows), err)
			}
			for _, r := range page.Rows {
				got = append(got, fmt.Sprint(r.Case.Plan.At, r.Root.Name))
			}
			q.Cursor = page.Next
		}
		if unique := slices.Compact(slices.Sorted(slices.Values(got))); len(got) != 8 || len(unique) != 8 || got[0] > got[7] {
			t.Errorf("by %d: %v", limit, got)
		}
	}
	badPage(t, func(limit int, cursor string) error {
		_, err := l.Due(t.Context(), ledger.DueQuery{Limit: limit, Cursor: cursor})
		return err
	})
}

func owners(t *testing.T, l ledger.Ledger) {
	at := func(c docket.Case, hours int) docket.Case {
		c.Plan.At = start().Add(time.Duration(hours) * time.Hour)
		return c
	}
	human := find("HUMAN", "low", docket.Open)
	human.Plan.Reason = "needs-human"
	one := sample("one", at(find("IMAGE_REPO", "high", docket.Open), 5), at(find("PRIVILEGED", "low", docket.Open), 2), human,
		at(find("STANDING", "low", docket.Standing), 1), find("RESOLVED", "low", docket.Resolved))
	one.Owner.Emails = []string{"a@example.com", "b@example.com"}
	two := sample("two", find("IMAGE_REPO", "high", docket.Acted))
	two.Owner.Emails = []string{"b@example.com"}
	two.Cases = append(two.Cases, sample("two", find("PRIVILEGED", "low", docket.Contested)).Cases...)
	undone := sample("undone", find("IMAGE_REPO", "high", docket.Acted)) // open, and no act in force
	undone.Owner.Emails, undone.Enforcement = []string{"b@example.com"}, &docket.Enforcement{State: docket.Undid}
	three := sample("three", find("IMAGE_REPO", "high", docket.Contested))
	three.Owner.Emails = nil
	for _, d := range []docket.Docket{one, two, undone, three} {
		store(t, l, d)
	}
	next := rows(one)[1]
	want := []ledger.OwnerRow{{Open: 1, Acted: 1}, {Email: "a@example.com", Open: 3, NeedsHuman: 1, Next: &next},
		{Email: "b@example.com", Open: 6, NeedsHuman: 1, Acted: 2, Next: &next}}
	for _, limit := range []int{1, 2, 200} {
		var got []ledger.OwnerRow
		q := ledger.OwnerQuery{Limit: limit}
		for more := true; more; more = q.Cursor != "" {
			page, err := l.Owners(t.Context(), q)
			if err != nil || len(page.Rows) > limit {
				t.Fatal(len(page.Rows), err)
			}
			got, q.Cursor = append(got, page.Rows...), page.Next
		}
		same(t, fmt.Sprint("owners by ", limit), got, want)
	}
	badPage(t, func(limit int, cursor string) error {
		_, err := l.Owners(t.Context(), ledger.OwnerQuery{Limit: limit, Cursor: cursor})
		return err
	})
}

func acts(t *testing.T, l ledger.Ledger) {
	want := map[string][]string{}
	for i, state := range []docket.EnforcementState{docket.Intent, docket.Done, docket.Undoing, docket.Undid, docket.Unclear, docket.Undid, ""} {
		d := sample(fmt.Sprint("root-", i), find("IMAGE_REPO", "high", docket.Acted))
		what := map[docket.EnforcementState]string{docket.Undid: ledger.Undone, "": ledger.Refused}[state]
		if what == "" {
			what = ledger.InForce
		}
		moment := start().Add(time.Duration(i/2) * time.Hour)
		d.Refusal = &docket.Refusal{Rule: 13, Name: "availability", Text: "a budget", At: moment}
		if state != "" {
			d.Enforcement = &docket.Enforcement{ID: fmt.Sprint("e-", i), State: state, IntentAt: moment,
				Prior: docket.Prior{ResourceVersion: "7", Manifest: []byte(`{"large":true}`)}}
		}
		d.Version = store(t, l, d)
		d.Version = store(t, l, d)
		want[what] = append(want[what], d.Root.Name)
	}
	store(t, l, sample("quiet", find("IMAGE_REPO", "high", docket.Open)))
	for what, names := range want {
		for _, limit := range []int{1, 2, 200} {
			var got []string
			q := ledger.ActQuery{What: what, Limit: limit}
			for more := true; more; more = q.Cursor != "" {
				page, err := l.Acts(t.Context(), q)
				if err != nil || len(page.Rows) > limit {
					t.Fatal(len(page.Rows), err)
				}
				for _, r := range page.Rows {
					got = append(got, r.Root.Name)
					if (r.Enforcement == nil) != (what == ledger.Refused) || (r.Refusal == nil) == (what == ledger.Refused) ||
						(r.Enforcement != nil && (r.Enforcement.Prior.Manifest != nil || r.Enforcement.Prior.ResourceVersion != "7")) {
						t.Errorf("%s: %+v", what, r)
					}
				}
				q.Cursor = page.Next
			}
			slices.Sort(got)
			same(t, fmt.Sprint(what, " by ", limit), got, names)
		}
	}
	badPage(t, func(limit int, cursor string) error {
		_, err := l.Acts(t.Context(), ledger.ActQuery{What: ledger.InForce, Limit: limit, Cursor: cursor})
		return err
	})
}
