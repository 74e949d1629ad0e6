package sqlite

import (
	"path/filepath"
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
