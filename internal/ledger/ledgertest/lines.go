package ledgertest

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
)

// chronicle stores dockets of several namespaces, owners and rules, and returns every line
// that must be found, newest first.
func chronicle(t *testing.T, l ledger.Ledger) []ledger.Line {
	t.Helper()
	var all []ledger.Line
	kinds := []string{docket.EntryOpened, docket.EntryNotice, docket.EntryActed}
	for i := range 24 {
		d := sample(fmt.Sprint("root-", i), find([]string{"IMAGE_REPO", "PRIVILEGED"}[i%2], "high", docket.Open))
		d.Root.Namespace = []string{"shop", "shop-1", ""}[i%3]
		d.Owner.Emails = [][]string{{"a@example.com", "b@example.com"}, {"b@example.com"}, nil}[i/2%3]
		var entries []docket.Entry
		for j, kind := range kinds {
			// Two of three have the same moment; the clock steps back in the middle.
			at := start().Add(time.Duration(i%12*3+j/2) * time.Hour)
			entries = append(entries, docket.Entry{At: at, Kind: kind, Case: d.Cases[0].ID, Text: fmt.Sprintf("entry %d of root %d", j, i)})
		}
		entries = append(entries, docket.Entry{At: start(), Kind: docket.EntryOwner, Text: "of no case"})
		store(t, l, d, entries...)
		for j, e := range entries {
			line := ledger.Line{Seq: int64(len(all) + 1), Docket: d.Key, Cluster: d.Cluster, Root: d.Root, Owners: d.Owner.Emails, Entry: e}
			if j < len(kinds) {
				line.Rule = d.Cases[0].Rule
			}
			all = append(all, line)
		}
	}
	slices.SortStableFunc(all, func(a, b ledger.Line) int {
		return cmp.Or(b.Entry.At.Compare(a.Entry.At), cmp.Compare(b.Seq, a.Seq))
	})
	return all
}

func lineMatches(q ledger.LineQuery, line ledger.Line) bool {
	is := func(want, got string) bool { return want == "" || want == got }
	return is(q.Namespace, line.Root.Namespace) && is(q.Rule, line.Rule) && is(q.Kind, line.Entry.Kind) &&
		(q.Owner == "" || slices.Contains(line.Owners, q.Owner)) &&
		(q.Since.IsZero() || !line.Entry.At.Before(q.Since)) && (q.Until.IsZero() || line.Entry.At.Before(q.Until))
}

// told is what a line says, without its place.
func told(line ledger.Line) string {
	return fmt.Sprint(line.Docket, line.Cluster, line.Root, line.Rule, line.Owners, line.Entry)
}

func lines(t *testing.T, l ledger.Ledger) {
	all := chronicle(t, l)
	for _, namespace := range []string{"", "shop", "nowhere"} {
		for _, rule := range []string{"", "PRIVILEGED"} {
			for _, owner := range []string{"", "b@example.com", "nobody"} {
				for _, kind := range []string{"", docket.EntryActed} {
					for _, span := range [][2]time.Time{{}, {start().Add(3 * time.Hour), start().Add(20 * time.Hour)}} {
						q := ledger.LineQuery{Namespace: namespace, Rule: rule, Owner: owner, Kind: kind, Since: span[0], Until: span[1]}
						var want []string
						for _, line := range all {
							if lineMatches(q, line) {
								want = append(want, told(line))
							}
						}
						for _, q.Limit = range []int{1, 7, 1000} {
							same(t, fmt.Sprintf("%+v", q), read(t, l, q), want)
						}
					}
				}
			}
		}
	}
	for _, q := range []ledger.LineQuery{{Cursor: "?"}, {Cursor: "e30x"}, {Text: "x", Cursor: "bm8"}} {
		if _, err := l.Lines(t.Context(), q); !errors.Is(err, ledger.ErrCursor) {
			t.Errorf("%+v: %v", q, err)
		}
	}
	for _, limit := range []int{-1, 1001} {
		if _, err := l.Lines(t.Context(), ledger.LineQuery{Limit: limit}); err == nil {
			t.Errorf("no error with limit %d", limit)
		}
	}
}

// read walks all pages.
func read(t *testing.T, l ledger.Ledger, q ledger.LineQuery) (texts []string) {
	t.Helper()
	for range 1000 {
		page, err := l.Lines(t.Context(), q)
		if err != nil || len(page.Lines) > q.Limit {
			t.Fatalf("%+v: %d lines, %v", q, len(page.Lines), err)
		}
		for _, line := range page.Lines {
			texts = append(texts, told(line))
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			return texts
		}
	}
	t.Fatalf("%+v: no end", q)
	return nil
}

func search(t *testing.T, l ledger.Ledger) {
	d := sample("storefront", find("IMAGE_REPO", "high", docket.Open))
	d.Cases[0].Evidence, d.Cases[0].Message = "registry.example.com/team/nginx:1.27", "Größe: not ALLOWED"
	d.Root.Namespace = "shop-1"
	store(t, l, d, docket.Entry{At: start(), Kind: docket.EntryOpened, Case: d.Cases[0].ID, Text: "opened for nginx, \"quoted\"\x00behind"})
	other := sample("other", find("PRIVILEGED", "low", docket.Open))
	store(t, l, other, docket.Entry{At: start(), Kind: docket.EntryOpened, Text: "something else"})
	for text, want := range map[string][2]int{
		"storefront": {1, 1}, "STOREFRONT": {1, 1}, "store": {0, 0}, "store*": {1, 1}, "st*": {0, 0}, "größe": {1, 0}, "allowed not": {1, 0},
		"team/nginx:1.27": {1, 0}, "nginx/team": {0, 0}, "nginx": {1, 1}, "quoted behind": {0, 1}, "nginx storefront": {1, 1}, "nginx else": {0, 0},
		"deployment": {2, 2}, "***": {0, 0}, "\"": {0, 0}, "IMAGE_REPO": {1, 1}, "a@example.com": {2, 0}, "nginx OR else": {0, 0}, "body:nginx": {0, 0},
		"NEAR(nginx opened)": {0, 0}, "nginx NOT opened": {0, 0}, "-nginx": {1, 1}, "(nginx": {1, 1}, "\xff\xfe": {0, 0}, "'; DROP TABLE cases; --": {0, 0},
	} {
		cases, err := l.Cases(t.Context(), ledger.CaseQuery{Text: text})
		lines, err2 := l.Lines(t.Context(), ledger.LineQuery{Text: text})
		if err != nil || err2 != nil || len(cases.Rows) != want[0] || cases.Total != want[0] || len(lines.Lines) != want[1] {
			t.Errorf("%q: %d cases (%v), %d lines (%v); want %v", text, cases.Total, err, len(lines.Lines), err2, want)
		}
	}
	for _, q := range []ledger.LineQuery{{Namespace: "shop-1"}, {Owner: "a@example.com"}, {Rule: "IMAGE_REPO"}, {Kind: "opened"}, {Since: start()},
		{Namespace: "shop"}, {Namespace: "--"}, {Owner: "a@example"}, {Rule: "IMAGE"}, {Kind: "open"}, {Until: start()}} {
		q.Text, q.Limit = "storefront", 10
		want := 0
		if q.Namespace == "shop-1" || q.Owner == "a@example.com" || q.Rule == "IMAGE_REPO" || q.Kind == "opened" || !q.Since.IsZero() {
			want = 1
		}
		if got := read(t, l, q); len(got) != want {
			t.Errorf("%+v: %d lines, want %d", q, len(got), want)
		}
	}
	searchFollows(t, l, d)
}

// searchFollows wants a case found by what it says now, and by nothing that it said.
func searchFollows(t *testing.T, l ledger.Ledger, d docket.Docket) {
	d.Version, d.Cases[0].Evidence = 1, "registry.example.com/team/httpd:2"
	d.Version = store(t, l, d)
	for text, want := range map[string]int{"nginx": 0, "httpd": 1} {
		if page, err := l.Cases(t.Context(), ledger.CaseQuery{Text: text}); err != nil || page.Total != want {
			t.Errorf("%q after the change: %d cases, %v", text, page.Total, err)
		}
	}
	d.Cases = nil
	store(t, l, d)
	if page, err := l.Cases(t.Context(), ledger.CaseQuery{Text: "httpd"}); err != nil || page.Total != 0 {
		t.Errorf("after the case went: %d cases, %v", page.Total, err)
	}
}
