package sqlite

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
)

func TestDocketSurvivesReopenAndRefusesOldVersions(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a?b#c.db")
	l, err := Open(t.Context(), path, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), path, time.Now); err == nil || !strings.Contains(err.Error(), "another k8guard") {
		t.Fatalf("second open: %v", err)
	}
	d := docket.Docket{Key: docket.Key{Cluster: "c", Root: "r"}}
	for _, id := range []string{"1", "2", "3"} {
		d.Cases = append(d.Cases, docket.Case{ID: id, State: docket.Open, Severity: "high"})
	}
	if v, err := l.CompareAndSet(t.Context(), d, []docket.Entry{{Kind: docket.EntryOpened}}); v != 1 || err != nil {
		t.Fatal(v, err)
	}
	if _, err := l.CompareAndSet(t.Context(), d, []docket.Entry{{Kind: docket.EntrySeen}}); !errors.Is(err, ledger.ErrConflict) {
		t.Fatalf("old version: %v", err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if l, err = Open(t.Context(), path, time.Now); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	got, err := l.Load(t.Context(), d.Key)
	lines, err2 := l.History(t.Context(), d.Key, 0, 10)
	if err != nil || err2 != nil || got.Version != 1 || len(got.Cases) != 3 || len(lines) != 1 {
		t.Fatal(got, lines, err, err2)
	}
	first, err := l.Cases(t.Context(), ledger.CaseQuery{Limit: 2})
	if err != nil || len(first.Rows) != 2 || first.Total != 3 {
		t.Fatal(first, err)
	}
	rest, err := l.Cases(t.Context(), ledger.CaseQuery{Limit: 2, Cursor: first.Next})
	if err != nil || len(rest.Rows) != 1 || rest.Rows[0].ID != "3" || rest.Next != "" {
		t.Fatal(rest, err)
	}
	if _, err := l.write.Exec("DELETE FROM history"); err == nil {
		t.Fatal("history was deleted")
	}
	if _, err := l.Overview(t.Context(), ledger.Part{}); err != nil {
		t.Fatal(err)
	}
}
