package ledgertest

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
)

// world is a ledger as a few maps, and the real one beside it. Each world has a cluster of
// its own, so that all can share one ledger.
type world struct {
	t       *testing.T
	l       ledger.Ledger
	cluster string
	dockets map[string]docket.Docket
	entries map[string][]string
	records map[string]ledger.Record
}

func model(t *testing.T, l ledger.Ledger) {
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		w := world{t: t, l: l, cluster: fmt.Sprintf("cluster-%d", n), dockets: map[string]docket.Docket{},
			entries: map[string][]string{}, records: map[string]ledger.Record{}}
		rt.Repeat(map[string]func(*rapid.T){"store": w.store, "put": w.put, "list": w.list, "": w.check})
	})
}

func (w *world) key(root string) docket.Key { return docket.Key{Cluster: w.cluster, Root: root} }

func (w *world) store(rt *rapid.T) {
	root := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(rt, "root")
	d := sample(root)
	d.Key, d.Cluster = w.key(root), w.cluster
	d.Version = w.dockets[root].Version + rapid.SampledFrom([]int64{0, 0, 0, -1, 1}).Draw(rt, "off")
	for _, rule := range []string{"IMAGE_REPO", "PRIVILEGED"} {
		if rapid.Bool().Draw(rt, rule) {
			c := find(rule, rapid.SampledFrom([]string{"critical", "low"}).Draw(rt, "severity"),
				rapid.SampledFrom([]docket.State{docket.Open, docket.Resolved, docket.Standing, docket.Acted}).Draw(rt, "state"))
			c.ID = docket.CaseID(d.Key, c.Rule, c.Source, c.From)
			d.Cases = append(d.Cases, c)
		}
	}
	text := fmt.Sprintf("entry %d", len(w.entries[root]))
	version, err := w.l.CompareAndSet(w.t.Context(), d, []docket.Entry{{At: start(), Kind: docket.EntrySeen, Text: text}})
	if d.Version != w.dockets[root].Version {
		if !errors.Is(err, ledger.ErrConflict) {
			rt.Fatalf("version %d over %d: %d, %v", d.Version, w.dockets[root].Version, version, err)
		}
		return
	}
	d.Version++
	if err != nil || version != d.Version {
		rt.Fatalf("store: version %d, %v; want %d", version, err, d.Version)
	}
	w.dockets[root] = d
	w.entries[root] = append(w.entries[root], text)
}

func (w *world) put(rt *rapid.T) {
	r := ledger.Record{Key: w.cluster + "/" + rapid.SampledFrom([]string{"x", "y"}).Draw(rt, "record")}
	have := w.records[r.Key]
	r.Version = have.Version + rapid.SampledFrom([]int64{0, 0, -1, 1}).Draw(rt, "off")
	r.Value = []byte(rapid.String().Draw(rt, "value"))
	version, err := w.l.Put(w.t.Context(), r)
	if r.Version != have.Version {
		if !errors.Is(err, ledger.ErrConflict) {
			rt.Fatalf("put %d over %d: %d, %v", r.Version, have.Version, version, err)
		}
		return
	}
	r.Version++
	if err != nil || version != r.Version {
		rt.Fatalf("put: version %d, %v; want %d", version, err, r.Version)
	}
	w.records[r.Key] = r
}

func (w *world) list(rt *rapid.T) {
	q := ledger.CaseQuery{Cluster: w.cluster, Limit: rapid.IntRange(1, 7).Draw(rt, "limit"),
		Severity: rapid.SampledFrom([]string{"", "low"}).Draw(rt, "severity"),
		Statuses: rapid.SampledFrom([][]string{nil, {"resolved", "open"}, {"standing"}}).Draw(rt, "statuses")}
	var want []ledger.CaseRow
	for _, d := range w.dockets {
		want = append(want, slices.DeleteFunc(rows(d), func(r ledger.CaseRow) bool { return !matches(q, r) })...)
	}
	slices.SortFunc(want, compare)
	var ids []string
	for _, row := range want {
		ids = append(ids, row.ID)
	}
	if got := walk(w.t, w.l, q, len(want)); !slices.Equal(got, ids) {
		rt.Fatalf("cases %+v: got %v, want %v", q, got, ids)
	}
}

// check compares what is read by key; it runs after every step.
func (w *world) check(rt *rapid.T) {
	for _, root := range []string{"a", "b", "c"} {
		want, stored := w.dockets[root]
		want.Key = w.key(root)
		got, err := w.l.Load(w.t.Context(), want.Key)
		if err != nil || got.Version != want.Version || len(got.Cases) != len(want.Cases) {
			rt.Fatalf("load %s: %+v, %v; want %+v", want.Key, got, err, want)
		}
		if listed := inBucket(w.t, w.l, want.Key); listed != (stored && want.Live()) {
			rt.Fatalf("%s: listed as open %v", want.Key, listed)
		}
		lines, err := w.l.History(w.t.Context(), want.Key, 0, 1000)
		if err != nil || len(lines) != len(w.entries[root]) {
			rt.Fatalf("history of %s: %d lines, %v; want %d", want.Key, len(lines), err, len(w.entries[root]))
		}
	}
	for key, want := range w.records {
		got, err := w.l.Get(w.t.Context(), key)
		if err != nil || got.Version != want.Version || string(got.Value) != string(want.Value) {
			rt.Fatalf("get %s: %+v, %v; want %+v", key, got, err, want)
		}
	}
}
