package sqlite_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/ledger/sqlite"
)

// A position stays while nothing changes, and moves with whatever does, whoever wrote it.
func TestPosition(t *testing.T) {
	file := filepath.Join(t.TempDir(), "l.db")
	writer, err := sqlite.Open(t.Context(), file, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = writer.Close() }()
	reader, err := sqlite.OpenReadOnly(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reader.Close() }()
	seen := map[string]bool{}
	look := func(fresh bool) {
		t.Helper()
		for _, l := range []*sqlite.Ledger{writer, reader} {
			at, err := l.Position(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if seen[at] == fresh {
				t.Errorf("position %s was seen before: %v, want %v", at, seen[at], !fresh)
			}
			seen[at] = true
		}
	}
	look(true)
	look(false)
	if _, err := writer.CompareAndSet(t.Context(), docket.Docket{Key: docket.Key{Cluster: "c", Root: "r"}}, nil); err != nil {
		t.Fatal(err)
	}
	look(true)
	if _, err := writer.Put(t.Context(), ledger.Record{Key: "a/b", Value: []byte(`{}`)}); err != nil {
		t.Fatal(err)
	}
	look(true)
	look(false)
}
