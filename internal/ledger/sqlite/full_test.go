package sqlite

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
)

// A full disk, as a limit of SQLite's own makes one for everybody: a docket or record is
// stored whole or not at all, the error says what to do, what was stored stays readable, and
// with room again it goes on.
func TestAFullDiskLosesNothing(t *testing.T) {
	l, err := Open(t.Context(), filepath.Join(t.TempDir(), "ledger.db"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	var pages, most int
	if err := l.write.QueryRow("PRAGMA page_count").Scan(&pages); err != nil {
		t.Fatal(err)
	}
	if err := l.write.QueryRow(fmt.Sprintf("PRAGMA max_page_count = %d", pages+20)).Scan(&most); err != nil {
		t.Fatal(err)
	}
	large := func(i int) docket.Docket {
		return docket.Docket{Key: docket.Key{Cluster: "c", Root: fmt.Sprint(i)}, Cases: []docket.Case{{ID: fmt.Sprint("c-", i), State: docket.Open, Message: strings.Repeat("x", 20_000)}}}
	}
	stored := 0
	for ; err == nil && stored < 1000; stored++ {
		_, err = l.CompareAndSet(t.Context(), large(stored), []docket.Entry{{Kind: docket.EntryOpened}})
	}
	stored-- // the last one was refused
	_, again := ledger.UpdateRecord(t.Context(), l, "large", func(s *string) (bool, error) { *s = strings.Repeat("x", 100_000); return true, nil })
	for _, err := range []error{err, again} {
		if err == nil || !strings.Contains(err.Error(), "full") || !strings.Contains(err.Error(), "make room where data.dir lies") {
			t.Errorf("says %v", err)
		}
	}
	for i := range stored + 1 {
		want := int64(1)
		if i == stored {
			want = 0
		}
		d, err := l.Load(t.Context(), large(i).Key)
		lines, err2 := l.History(t.Context(), d.Key, 0, 10)
		if err != nil || err2 != nil || d.Version != want || int64(len(lines)) != want {
			t.Errorf("docket %d of %d: version %d, %d lines, %v, %v", i, stored, d.Version, len(lines), err, err2)
		}
	}
	if err := l.write.QueryRow("PRAGMA max_page_count = 1000000").Scan(&most); err != nil {
		t.Fatal(err)
	}
	if v, err := l.CompareAndSet(t.Context(), large(stored), []docket.Entry{{Kind: docket.EntryOpened}}); v != 1 || err != nil {
		t.Error(v, err)
	}
}
