package cassandra_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/ledger/cassandra"
	"github.com/k8guard/k8guard/internal/ledger/move"
	"github.com/k8guard/k8guard/internal/ledger/sqlite"
	"github.com/k8guard/k8guard/tools/services"
)

// exporter is a ledger of either kind.
type exporter interface {
	Snapshot(ctx context.Context, do func(ledger.Source) error) error
}

// exported returns a ledger's file without its first and last line, and its name.
func exported(t *testing.T, from exporter) (body []byte, name string) {
	t.Helper()
	var text bytes.Buffer
	if err := from.Snapshot(t.Context(), func(s ledger.Source) error {
		_, err := move.Export(t.Context(), s, &text, nil)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	name = filepath.Join(t.TempDir(), "ledger.jsonl")
	if err := os.WriteFile(name, text.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(text.Bytes(), []byte("\n"))
	return bytes.Join(lines[1:len(lines)-2], nil), name
}

func imported(t *testing.T, to ledger.Target, file string) move.Result {
	t.Helper()
	result, err := move.Import(t.Context(), file, to, move.Options{Verify: true, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// moves carries a ledger from SQLite to Cassandra and back.
func moves(t *testing.T, s *services.Service) {
	file := func() *sqlite.Ledger {
		l, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "ledger.db"), time.Now)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		return l
	}
	from := file()
	const many, long = 70, 1300
	for i := range many {
		d := sample(fmt.Sprintf("root-%02d", i), []docket.State{docket.Open, docket.Resolved}[i%2])
		d.Cases[0].ToldResolved = true
		lines := 3
		if i == 5 {
			lines = long
		}
		for version := range int64(3) {
			var entries []docket.Entry
			for j := range lines {
				entries = append(entries, docket.Entry{At: time.Now(), Kind: docket.EntrySeen, Case: d.Cases[0].ID, Text: fmt.Sprint("<line> ", j, " of ", version)})
			}
			d.Version, d.Hash = version, fmt.Sprint(version)
			if _, err := from.CompareAndSet(t.Context(), d, entries); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, r := range []ledger.Record{{Key: "budget/a", Value: []byte(`{"n": 1}`)}, {Key: "freezes", Value: []byte{0xff, 0}}, {Key: ledger.IdentityKey, Value: []byte(`{"id":"old","seq":7}`)}} {
		if _, err := from.Put(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	first, name := exported(t, from)
	conf := settings(t, s, "moves")
	store := open(t, conf)
	// What a try that died leaves: a fence, and lines that nobody sees.
	half := docket.Key{Cluster: "cluster-uid", Root: "root-05"}
	exec(t, session(t, s, "moves"), "UPDATE dockets SET write_id = uuid() WHERE cluster = ? AND root = ? IF version = null", half.Cluster, half.Root)
	result := imported(t, store, name)
	if result.Dockets != many || result.Lines != (many-1)*9+3*long || result.Records != 2 || result.From != "old" {
		t.Errorf("%+v", result)
	}
	second, name := exported(t, store)
	if !bytes.Equal(first, second) {
		t.Errorf("Cassandra's copy is another: %d and %d bytes", len(first), len(second))
	}
	back := file()
	imported(t, back, name)
	if third, _ := exported(t, back); !bytes.Equal(first, third) {
		t.Errorf("what came back is another: %d and %d bytes", len(first), len(third))
	}
	lives(t, conf, store, many)
}

// lives works on a ledger that came from a file: what is open is found, changes go on from
// the version that it had, and what is there is not overwritten.
func lives(t *testing.T, conf cassandra.Settings, store *cassandra.Store, many int) {
	t.Helper()
	found := 0
	for bucket := range docket.Buckets {
		keys, err := store.OpenInBucket(t.Context(), bucket)
		if err != nil {
			t.Fatal(err)
		}
		found += len(keys)
	}
	if found != many/2 {
		t.Errorf("%d dockets are open, want %d", found, many/2)
	}
	d, err := store.Load(t.Context(), docket.Key{Cluster: "cluster-uid", Root: "root-05"})
	if err != nil || d.Version != 3 {
		t.Fatalf("%+v, %v", d, err)
	}
	dossier, err := store.Dossier(t.Context(), d.Key)
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Restore(t.Context(), dossier); !errors.Is(err, ledger.ErrConflict) {
		t.Errorf("restored over one that is there: %v", err)
	}
	if byCase, err := store.Case(t.Context(), d.Cases[0].ID); err != nil || byCase.Key != d.Key {
		t.Errorf("by case: %v, %v", byCase.Key, err)
	}
	report := run(t, conf, filepath.Join(t.TempDir(), "mirror.db"))
	defer func() { _ = report.Close() }()
	before := len(dossier.Lines)
	if _, err := report.CompareAndSet(t.Context(), d, []docket.Entry{{At: time.Now(), Kind: docket.EntrySeen, Text: "after the move"}}); err != nil {
		t.Fatal(err)
	}
	latest, err := report.Latest(t.Context(), d.Key, 2)
	if err != nil || len(latest) != 2 || latest[1].Entry.Text != "after the move" || latest[0].Entry.Text == latest[1].Entry.Text {
		t.Errorf("the newest lines are %+v, %v", latest, err)
	}
	if dossier, err = store.Dossier(t.Context(), d.Key); err != nil || len(dossier.Lines) != before+1 {
		t.Errorf("%d lines, %v; want %d", len(dossier.Lines), err, before+1)
	}
	page, err := report.Lines(t.Context(), ledger.LineQuery{Limit: 1})
	if err != nil || len(page.Lines) != 1 || page.Lines[0].Entry.Text != "after the move" {
		t.Errorf("the newest of all is %+v, %v", page.Lines, err)
	}
}
