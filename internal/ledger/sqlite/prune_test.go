package sqlite

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
)

// pruneAll prunes until nothing is left to do, and counts the batches.
func pruneAll(t *testing.T, l *Ledger, before time.Time) (batches int) {
	t.Helper()
	for more := true; more; {
		var err error
		if more, err = l.Prune(t.Context(), before); err != nil {
			t.Fatal(err)
		}
		batches++
	}
	return batches
}

func count(t *testing.T, l *Ledger, query string) (n int) {
	t.Helper()
	if err := l.read.QueryRow(query).Scan(&n); err != nil {
		t.Fatal(query, err)
	}
	return n
}

func TestPruneTakesWhatIsClosedAndOldAndNothingElse(t *testing.T) {
	now := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	l, err := Open(t.Context(), filepath.Join(t.TempDir(), "l.db"), func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	put := func(i int, change func(*docket.Docket)) {
		d, err := l.Load(t.Context(), docket.Key{Cluster: "c", Root: fmt.Sprint("r", i)})
		if err != nil {
			t.Fatal(err)
		}
		version := d.Version
		d = eventful(i, now)
		d.Version = version
		if change != nil {
			change(&d)
		}
		if _, err := l.CompareAndSet(t.Context(), d, []docket.Entry{{At: now, Kind: "opened", Case: d.Cases[0].ID, Text: "words"}}); err != nil {
			t.Fatal(err)
		}
	}
	resolved := func(d *docket.Docket) { d.Cases[0].State, d.Cases[0].ToldResolved = docket.Resolved, true }
	for i := range 12 { // 2, 6 and 10 are closed; 0, 4 and 8 have an act in force
		put(i, nil)
	}
	put(0, resolved)                // fixed while it was at zero: the act stands
	put(1, resolved)                // closes
	put(5, resolved)                // closes later
	put(9, func(d *docket.Docket) { // closes, but cools off for a long time
		resolved(d)
		d.CoolOffUntil = now.Add(2000 * time.Hour)
	})
	for i := range 6 {
		if _, err := l.Put(t.Context(), ledger.Record{Key: fmt.Sprint("notice/", i), Value: []byte("{}")}); err != nil {
			t.Fatal(err)
		}
	}
	now = now.Add(100 * time.Hour)
	put(5, resolved) // again, with no change: it has been closed since before
	put(6, func(d *docket.Docket) { d.Cases[0].State = docket.Open })
	now = now.Add(time.Hour)
	pruneAll(t, l, now.Add(-101*time.Hour))
	if n := count(t, l, "SELECT count(*) FROM dockets"); n != 12 {
		t.Fatalf("%d dockets are left of 12, nothing was older than the retention", n)
	}
	pruneAll(t, l, now.Add(-50*time.Hour))
	left := ""
	for i := range 12 {
		d, err := l.Load(t.Context(), docket.Key{Cluster: "c", Root: fmt.Sprint("r", i)})
		if err != nil {
			t.Fatal(err)
		}
		if d.Version > 0 {
			left += fmt.Sprint(i, " ")
		}
	}
	if left != "0 3 4 6 7 8 9 11 " {
		t.Errorf("left are %s", left)
	}
	// 1, 2, 5 and 10 went: notices 0, 1, 2 and 5 are shared with 0, 3, 4 and 11.
	for query, want := range map[string]int{
		"SELECT count(*) FROM cases": 8, "SELECT count(*) FROM case_search": 8, "SELECT count(*) FROM owners": 8, "SELECT count(*) FROM doomed": 0,
		"SELECT count(*) FROM records WHERE key LIKE 'notice/%'": 6, "SELECT count(*) FROM history WHERE root IN ('r1', 'r2', 'r5', 'r10')": 0,
		"SELECT count(*) FROM history": 11, "SELECT count(*) FROM history_owners": 9, "SELECT count(*) FROM history_text WHERE history_text MATCH 'words'": 11,
		"SELECT count(*) FROM case_text WHERE case_text MATCH 'nginx'": 8,
	} {
		if got := count(t, l, query); got != want {
			t.Errorf("%s: %d, want %d", query, got, want)
		}
	}
	put(11, resolved)
	now = now.Add(51 * time.Hour)
	pruneAll(t, l, now.Add(-50*time.Hour))
	if n := count(t, l, "SELECT count(*) FROM records WHERE key = 'notice/5'"); n != 0 {
		t.Error("a notice of which no docket speaks was kept")
	}
	if _, err := l.write.Exec("DELETE FROM history WHERE root = 'r0'"); err == nil {
		t.Error("history of what is there was deleted")
	}
}

func TestPruneGoesInBatchesAndGivesRoomBack(t *testing.T) {
	now := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	path := filepath.Join(t.TempDir(), "l.db")
	l, err := Open(t.Context(), path, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	for i := range 120 {
		d := eventful(4*i+2, now)
		var entries []docket.Entry
		for j := range 20 {
			entries = append(entries, docket.Entry{At: now, Kind: "seen", Text: fmt.Sprint(strings.Repeat("long ", 200), j)})
		}
		if _, err := l.CompareAndSet(t.Context(), d, entries); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := l.write.Exec("PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		t.Fatal(err)
	}
	before := size(t, path)
	if batches := pruneAll(t, l, now.Add(time.Hour)); batches < 5 {
		t.Errorf("%d batches for 120 dockets and 2,400 lines", batches)
	}
	if _, err := l.write.Exec("PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		t.Fatal(err)
	}
	if after := size(t, path); after > before/4 {
		t.Errorf("the file has %d of %d bytes left", after, before)
	}
}

func size(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// A root that lives on keeps the memory of its one enforcement, however long ago that was
// taken back: else it would get a second.
func TestAnUndoneActIsRememberedWhileItsRootLives(t *testing.T) {
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	l, err := Open(t.Context(), filepath.Join(t.TempDir(), "ledger.db"), func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	for i, gone := range []time.Time{{}, now} {
		d := eventful(i, now)
		d.Cases[0].State, d.Cases[0].ToldResolved, d.GoneAt = docket.Resolved, true, gone
		d.Enforcement = &docket.Enforcement{ID: "e", State: docket.Undid, Cases: []string{d.Cases[0].ID}}
		if _, err := l.CompareAndSet(t.Context(), d, nil); err != nil {
			t.Fatal(err)
		}
	}
	now = now.Add(10000 * time.Hour)
	pruneAll(t, l, now.Add(-time.Hour))
	if living, gone := count(t, l, "SELECT count(*) FROM dockets WHERE root = 'r0'"), count(t, l, "SELECT count(*) FROM dockets WHERE root = 'r1'"); living != 1 || gone != 0 {
		t.Errorf("%d dockets of the living root, %d of the one that is gone", living, gone)
	}
}
