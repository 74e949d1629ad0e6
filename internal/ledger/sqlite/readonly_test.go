package sqlite

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/ledger"
)

func TestReadOnly(t *testing.T) {
	ctx, path := t.Context(), filepath.Join(t.TempDir(), "ledger.db")
	if _, err := OpenReadOnly(ctx, path); err == nil {
		t.Fatal("a ledger that is not there was opened")
	}
	owner, err := Open(ctx, path, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	reader, err := OpenReadOnly(ctx, path) // beside its owner
	if err != nil {
		t.Fatal(err)
	}
	if _, err := owner.Put(ctx, ledger.Record{Key: "a", Value: []byte(`{"n":1}`)}); err != nil {
		t.Fatal(err)
	}
	if r, err := reader.Get(ctx, "a"); err != nil || r.Version != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := reader.Put(ctx, ledger.Record{Key: "b", Value: []byte(`{}`)}); err == nil {
		t.Error("a reader wrote")
	}
	if err := owner.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := reader.Overview(ctx, ledger.Part{}); err != nil {
		t.Errorf("after its owner: %v", err)
	}
	if err := reader.Close(); err != nil {
		t.Error(err)
	}
	alone, err := OpenReadOnly(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	if r, err := alone.Get(ctx, "a"); err != nil || r.Version != 1 {
		t.Errorf("alone: %+v, %v", r, err)
	}
	if err := alone.Close(); err != nil {
		t.Error(err)
	}
}
