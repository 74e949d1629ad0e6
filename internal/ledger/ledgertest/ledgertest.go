// Package ledgertest is the contract of a ledger as tests.
//
// Purpose: every back end proves with [Run] and [RunReopen] that it does what package
// ledger promises.
//
// Concurrency: each test opens a ledger of its own and may use it from many goroutines.
//
// Guarantees: a failure names the promise that is broken. A property that fails prints how
// to replay it.
//
// It will not: look inside a back end, or test what only one of them promises.
package ledgertest

import (
	"encoding/json"
	"testing"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
)

// Run tests a back end; open returns an empty ledger, which Run closes.
func Run(t *testing.T, open func(t testing.TB) ledger.Ledger) {
	for _, test := range []struct {
		name string
		run  func(t *testing.T, l ledger.Ledger)
	}{
		{"absent docket and record", absent},
		{"compare and set", compareAndSet},
		{"entries are stored with the docket or not at all", entriesAtomic},
		{"no lost update of a docket", docketsUnderLoad},
		{"no lost update of a record", recordsUnderLoad},
		{"records", records},
		{"open dockets of a bucket", openInBucket},
		{"each filter, and all of them", filters},
		{"order and pages", pages},
		{"bad queries", badQueries},
		{"case by id", caseByID},
		{"cases follow their docket", casesFollow},
		{"history", history},
		{"lists of history", lines},
		{"search", search},
		{"due", due},
		{"owners", owners},
		{"acts", acts},
		{"overview", overview},
		{"a part", parts},
		{"what is outside of a part changes no answer", partsAlone},
		{"hostile text", hostile},
		{"model", model},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := open(t)
			t.Cleanup(func() {
				if err := l.Close(); err != nil {
					t.Errorf("close: %v", err)
				}
			})
			test.run(t, l)
		})
	}
}

// RunReopen tests that what is stored outlives its process; open opens what dir holds.
func RunReopen(t *testing.T, open func(t testing.TB, dir string) ledger.Ledger) {
	dir := t.TempDir()
	l := open(t, dir)
	d := sample("kept", find("IMAGE_REPO", "high", docket.Open))
	version := store(t, l, d, docket.Entry{At: start(), Kind: docket.EntryOpened, Text: "kept"})
	if _, err := l.Put(t.Context(), ledger.Record{Key: "kept/one", Value: []byte(`{"n":1}`)}); err != nil {
		t.Fatal(err)
	}
	before := everything(t, l, d)
	for range 2 {
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		l = open(t, dir)
		same(t, "after reopening", everything(t, l, d), before)
	}
	d.Version = version
	if got := store(t, l, d); got != version+1 {
		t.Errorf("version after reopening: %d, want %d", got, version+1)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

// everything is all that a ledger says.
func everything(t *testing.T, l ledger.Ledger, d docket.Docket) []any {
	t.Helper()
	loaded, err1 := l.Load(t.Context(), d.Key)
	record, err2 := l.Get(t.Context(), "kept/one")
	keys, err3 := l.OpenInBucket(t.Context(), d.Key.Bucket())
	lines, err4 := l.History(t.Context(), d.Key, 0, 10)
	page, err5 := l.Cases(t.Context(), ledger.CaseQuery{})
	overview, err6 := l.Overview(t.Context(), ledger.Part{})
	for _, err := range []error{err1, err2, err3, err4, err5, err6} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(keys) != 1 || len(lines) != 1 || len(page.Rows) != 1 || record.Version != 1 || loaded.Version == 0 {
		t.Fatalf("something is missing: %v %v %v %v", keys, lines, page, record)
	}
	return []any{loaded, record, keys, lines, page, overview}
}

// same compares by JSON, the form in which everything is kept.
func same(t testing.TB, what string, got, want any) {
	t.Helper()
	g, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	w, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	if string(g) != string(w) {
		t.Errorf("%s:\n got %s\nwant %s", what, g, w)
	}
}

func store(t testing.TB, l ledger.Ledger, d docket.Docket, entries ...docket.Entry) int64 {
	t.Helper()
	version, err := l.CompareAndSet(t.Context(), d, entries)
	if err != nil {
		t.Fatal(err)
	}
	return version
}

// start is some moment with a fraction of a second, as clocks give it.
func start() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 123456000, time.UTC) }

func key(root string) docket.Key { return docket.Key{Cluster: "cluster-uid", Root: root} }

// find is a finding without its docket; sample completes it.
func find(rule, severity string, state docket.State) docket.Case {
	return docket.Case{Rule: rule, Severity: severity, State: state, Source: "app", From: v1.FromTemplate,
		FirstSeen: start(), LastSeen: start(), ToldResolved: true}
}

// sample is a docket with these cases.
func sample(root string, cases ...docket.Case) docket.Docket {
	d := docket.Docket{Key: key(root), Cluster: "prod", ObservedAt: start(), RootCreated: start(),
		Root:  v1.Root{Kind: "Deployment", Namespace: "shop", Name: root, UID: root},
		Owner: v1.Owner{Emails: []string{"a@example.com"}, Platform: true}, Cases: []docket.Case{}}
	for _, c := range cases {
		c.ID = docket.CaseID(d.Key, c.Rule, c.Source, c.From)
		d.Cases = append(d.Cases, c)
	}
	return d
}
