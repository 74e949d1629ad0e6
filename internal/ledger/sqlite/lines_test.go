package sqlite

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
)

// What matches lies behind more entries than one page looks at: pages are empty and go on,
// and it is found, once.
func TestAPageOfHistoryIsBoundedAndGoesOn(t *testing.T) {
	l, err := Open(t.Context(), filepath.Join(t.TempDir(), "l.db"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	d := eventful(0, moment(0))
	var entries []docket.Entry
	for i := range 2*textWindow + 100 {
		e := docket.Entry{At: moment(i / 7), Kind: "seen", Text: "words"} // many of one moment
		if i == 3 {
			e.Kind = "acted"
		}
		entries = append(entries, e)
	}
	if _, err := l.CompareAndSet(t.Context(), d, entries); err != nil {
		t.Fatal(err)
	}
	for name, q := range map[string]ledger.LineQuery{
		"words and a time": {Text: "words", Until: moment(0).Add(time.Microsecond)}, "an owner and a kind": {Owner: d.Owner.Emails[0], Kind: "acted"},
	} {
		pages, found := 0, 0
		for more := true; more; more = q.Cursor != "" {
			page, err := l.Lines(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			for _, line := range page.Lines {
				if line.Entry.Kind == "acted" {
					found++
				}
			}
			pages, q.Cursor = pages+1, page.Next
		}
		if pages != 3 || found != 1 {
			t.Errorf("%s: found %d times on %d pages, want once on 3", name, found, pages)
		}
	}
}

// A page is bounded in bytes, too: a tenant may write long texts.
func TestAPageIsBoundedInBytes(t *testing.T) {
	l, err := Open(t.Context(), filepath.Join(t.TempDir(), "l.db"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	const rows = 12
	long := strings.Repeat("x", maxPageBytes/4)[:MaxDocument/2]
	for i := range rows {
		d := eventful(4*i+1, moment(i))
		d.Cases[0].Evidence = long
		if _, err := l.CompareAndSet(t.Context(), d, []docket.Entry{{At: moment(i), Kind: "seen", Text: long}}); err != nil {
			t.Fatal(err)
		}
	}
	for name, list := range map[string]func(cursor string) (int, string, error){
		"history": func(c string) (int, string, error) {
			p, err := l.Lines(t.Context(), ledger.LineQuery{Cursor: c})
			return len(p.Lines), p.Next, err
		},
		"cases": func(c string) (int, string, error) {
			p, err := l.Cases(t.Context(), ledger.CaseQuery{Cursor: c})
			return len(p.Rows), p.Next, err
		},
		"steps": func(c string) (int, string, error) {
			p, err := l.Due(t.Context(), ledger.DueQuery{Until: moment(1 << 30), Cursor: c})
			return len(p.Rows), p.Next, err
		},
	} {
		pages, all, cursor := 0, 0, ""
		for more := true; more; more = cursor != "" {
			n, next, err := list(cursor)
			if err != nil {
				t.Fatal(err)
			}
			pages, all, cursor = pages+1, all+n, next
		}
		if pages != 2 || all != rows {
			t.Errorf("%s: %d rows on %d pages, want %d on 2", name, all, pages, rows)
		}
	}
}
