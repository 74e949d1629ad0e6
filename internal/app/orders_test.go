package app

import (
	"path/filepath"
	"testing"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger/sqlite"
)

// A freeze waits for what is under way, and not for an undo that nobody has begun.
func TestAnUndoThatIsOnlyOrderedIsNotOpen(t *testing.T) {
	l, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "ledger.db"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	for _, e := range []docket.Enforcement{{ID: "e-1", State: docket.Undoing, Undo: &docket.Undo{By: "ada", Ordered: true}},
		{ID: "e-2", State: docket.Undoing, Undo: &docket.Undo{By: "ada"}}, {ID: "e-3", State: docket.Intent}} {
		d := docket.Docket{Key: docket.Key{Cluster: "u", Root: e.ID}, Cluster: "east", Root: v1.Root{Kind: "Deployment", Namespace: "shop", Name: e.ID, UID: e.ID}, Enforcement: &e}
		if _, err := l.CompareAndSet(t.Context(), d, nil); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := (orders{&instance{shown: l}}).open(t.Context()); err != nil || n != 2 {
		t.Errorf("%d are open, want the two that may be under way: %v", n, err)
	}
}
