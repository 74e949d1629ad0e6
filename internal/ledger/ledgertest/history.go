package ledgertest

import (
	"fmt"
	"testing"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
)

// tell stores n changes to each of two dockets in turns, two entries each.
func tell(t *testing.T, l ledger.Ledger, n int) (a, b docket.Docket, texts map[docket.Key][]string, newest []string) {
	t.Helper()
	a, b = sample("a"), sample("b")
	texts = map[docket.Key][]string{}
	for i := range n {
		for _, d := range []*docket.Docket{&a, &b} {
			var entries []docket.Entry
			for j := range 2 {
				// The clock steps back: order is that of writing, not of the entry's time.
				e := docket.Entry{At: start().Add(-time.Duration(i) * time.Second), Kind: docket.EntrySeen, Text: fmt.Sprint(d.Key.Root, i, j)}
				entries = append(entries, e)
				texts[d.Key] = append(texts[d.Key], e.Text)
				newest = append([]string{e.Text}, newest...)
			}
			d.Version = store(t, l, *d, entries...)
		}
	}
	return a, b, texts, newest
}

func history(t *testing.T, l ledger.Ledger) {
	a, b, texts, _ := tell(t, l, 10)
	for _, d := range []docket.Docket{a, b} {
		for _, limit := range []int{1, 3, 20, 1000} {
			var got []string
			var after int64
			for {
				lines, err := l.History(t.Context(), d.Key, after, limit)
				if err != nil {
					t.Fatal(err)
				}
				if len(lines) > limit {
					t.Fatalf("%d lines with limit %d", len(lines), limit)
				}
				if len(lines) == 0 {
					break
				}
				for _, line := range lines {
					if line.Seq <= after || line.Docket != d.Key || line.Root != d.Root || line.Cluster != d.Cluster {
						t.Errorf("line after %d: %+v", after, line)
					}
					after = line.Seq
					got = append(got, line.Entry.Text)
				}
			}
			same(t, fmt.Sprintf("history of %s by %d", d.Key, limit), got, texts[d.Key])
		}
	}
	latest(t, l, texts, a.Key, b.Key, key("nobody"))
	lines, err := l.History(t.Context(), key("nobody"), 0, 10)
	if err != nil || len(lines) != 0 {
		t.Errorf("history of nobody: %v, %v", lines, err)
	}
}

// latest wants the end of each docket's history, oldest first.
func latest(t *testing.T, l ledger.Ledger, texts map[docket.Key][]string, keys ...docket.Key) {
	t.Helper()
	for _, k := range keys {
		for _, limit := range []int{1, 3, 20, 1000} {
			lines, err := l.Latest(t.Context(), k, limit)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, line := range lines {
				got = append(got, line.Entry.Text)
			}
			want := texts[k]
			same(t, fmt.Sprintf("the latest %d of %s", limit, k), got, want[max(0, len(want)-limit):])
		}
	}
}

func overview(t *testing.T, l ledger.Ledger) {
	empty, err := l.Overview(t.Context(), ledger.Part{})
	if err != nil || len(empty.ByStatus) != 0 || empty.Acted != 0 || !empty.Newest.IsZero() {
		t.Errorf("overview of nothing: %+v, %v", empty, err)
	}
	for i, state := range []docket.EnforcementState{docket.Intent, docket.Done, docket.Done, docket.Undid, ""} {
		exempt := find("PRIVILEGED", "high", docket.Open)
		exempt.Plan.Reason = "exempt"
		d := sample(fmt.Sprint("root-", i), find("IMAGE_REPO", "low", docket.Open), exempt,
			find("STANDING", "low", docket.Standing), find("RESOLVED", "low", docket.Resolved))
		d.Root.Namespace = fmt.Sprintf("ns-%d", min(i, 3))
		d.ObservedAt = start().Add(time.Duration(i) * time.Hour)
		if state != "" {
			d.Enforcement = &docket.Enforcement{ID: "e", State: state}
		}
		store(t, l, d)
	}
	for i := range 9 { // cluster-wide and small namespaces: beyond the ten
		d := sample(fmt.Sprint("small-", i), find("IMAGE_REPO", "critical", docket.Resolved))
		d.Root = v1.Root{Kind: "Namespace", Namespace: fmt.Sprintf("small-%d", i), Name: d.Key.Root}
		if i == 0 {
			d.Root.Namespace, d.Cases[0].State = "", docket.Contested
		}
		store(t, l, d)
	}
	got, err := l.Overview(t.Context(), ledger.Part{})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "overview", got, ledger.Overview{
		ByStatus:    map[string]int{"open": 5, "exempt": 5, "standing": 5, "resolved": 13, "contested": 1},
		ByRule:      map[string]int{"IMAGE_REPO": 6, "PRIVILEGED": 5},
		BySeverity:  map[string]int{"low": 5, "high": 5, "critical": 1},
		ByNamespace: []ledger.Count{{Name: "ns-3", N: 6}, {Name: "ns-0", N: 3}, {Name: "ns-1", N: 3}, {Name: "ns-2", N: 3}},
		Acted:       2, Undone: 1, Newest: start().Add(4 * time.Hour)})
}
