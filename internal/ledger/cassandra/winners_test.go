package cassandra_test

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/ledger/cassandra"
	"github.com/k8guard/k8guard/tools/services"
)

const (
	contenders = 12
	rounds     = 8
)

// winners lets contenders of several replicas write one version, again and again.
func winners(t *testing.T, s *services.Service) {
	conf := settings(t, s, "contract")
	empty(t, conf)
	replicas := []*cassandra.Store{open(t, conf), open(t, conf), open(t, conf)}
	for round := range int64(rounds) {
		d := sample("contended", docket.Open)
		d.Version = round
		contend(t, fmt.Sprint("docket at ", round), func(i int) error {
			_, err := replicas[i%3].CompareAndSet(t.Context(), d, []docket.Entry{entry(fmt.Sprint(round, "/", i))})
			return err
		})
		contend(t, fmt.Sprint("record at ", round), func(i int) error {
			_, err := replicas[i%3].Put(t.Context(), ledger.Record{Key: "contended", Version: round, Value: []byte(number(i))})
			return err
		})
	}
	k := sample("contended", docket.Open).Key
	d, err := replicas[0].Load(t.Context(), k)
	if all := texts(t, replicas[0], k); err != nil || d.Version != rounds || len(all) != rounds {
		t.Errorf("version %d, %v, history %v; want %d of each", d.Version, err, all, rounds)
	}
}

// contend wants one to win and the others to be told that they lost.
func contend(t *testing.T, what string, try func(i int) error) {
	t.Helper()
	results := make([]error, contenders)
	var group sync.WaitGroup
	for i := range contenders {
		group.Go(func() { results[i] = try(i) })
	}
	group.Wait()
	won := 0
	for _, err := range results {
		switch {
		case err == nil:
			won++
		case !errors.Is(err, ledger.ErrConflict):
			t.Errorf("%s: %v", what, err)
		}
	}
	if won != 1 {
		t.Errorf("%s: %d won", what, won)
	}
}

// large stores what is as large as may be, and refuses what is larger, whole.
func large(t *testing.T, s *services.Service) {
	l := open(t, settings(t, s, "contract"))
	noise := make([]byte, 1_400_000) // as text a third longer, and it cannot be squeezed
	if _, err := rand.Read(noise); err != nil {
		t.Fatal(err)
	}
	text := base64.StdEncoding.EncodeToString(noise)
	d := sample("large", docket.Open)
	d.Hash = text
	store(t, l, &d, entry(text), entry(text), entry(text))
	got, err := l.Load(t.Context(), d.Key)
	if all := texts(t, l, d.Key); err != nil || got.Hash != text || len(all) != 3 || all[2] != text {
		t.Errorf("%d bytes, %v, and %d lines came back", len(got.Hash), err, len(all))
	}
	longer := d
	longer.Hash += text
	many := []docket.Entry{entry(text), entry(text), entry(text), entry(text), entry(text)}
	for what, try := range map[string]func() error{
		"docket":  func() error { _, err := l.CompareAndSet(t.Context(), longer, nil); return err },
		"entries": func() error { _, err := l.CompareAndSet(t.Context(), d, many); return err },
		"record": func() error {
			_, err := l.Put(t.Context(), ledger.Record{Key: "large", Value: []byte(text + text)})
			return err
		},
	} {
		if err := try(); !errors.Is(err, ledger.ErrTooLarge) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if all := texts(t, l, d.Key); len(all) != 3 {
		t.Errorf("%d lines after the refusals", len(all))
	}
}

// deadlines follows the deadlines in the tables over a docket's life.
func deadlines(t *testing.T, s *services.Service) {
	const lines = 450 // more than one page
	l, on := open(t, settings(t, s, "contract")), session(t, s, "contract")
	d := sample("dated", docket.Open)
	var entries []docket.Entry
	for i := range lines {
		entries = append(entries, entry(number(i)))
	}
	store(t, l, &d, entries...)
	want := func(when string, dated bool) {
		t.Helper()
		rows := on.Query("SELECT ttl(version), ttl(doc), ttl(write_id), ttl(line) FROM dockets WHERE cluster = ? AND root = ?", d.Key.Cluster, d.Key.Root).IterContext(t.Context())
		var ttls [4]int
		n := 0
		for ; rows.Scan(&ttls[0], &ttls[1], &ttls[2], &ttls[3]); n++ {
			for _, ttl := range ttls {
				if (ttl > 0) != dated || ttl > 90*24*3600 {
					t.Fatalf("%s: row %d has deadlines %v", when, n, ttls)
				}
			}
			ttls = [4]int{}
		}
		if err := rows.Close(); err != nil || n < lines {
			t.Fatalf("%s: %d rows, %v", when, n, err)
		}
		var ttl int
		if err := on.Query("SELECT ttl(cluster) FROM cases WHERE id = ?", d.Cases[0].ID).ScanContext(t.Context(), &ttl); err != nil || (ttl > 0) != dated {
			t.Fatalf("%s: the case has a deadline of %d, %v", when, ttl, err)
		}
	}
	want("open", false)
	d.Cases[0].State = docket.Resolved
	store(t, l, &d, entry("closed"))
	want("closed", true)
	d.Hash = "seen again"
	store(t, l, &d, entry("still closed"))
	want("changed while closed", true)
	d.Cases[0].State = docket.Open
	store(t, l, &d, entry("opened again"))
	want("opened again", false)
	if all := texts(t, l, d.Key); len(all) != lines+3 || all[lines+2] != "opened again" {
		t.Errorf("history has %d lines", len(all))
	}
}

// leftovers are what a crash between two steps leaves.
func leftovers(t *testing.T, s *services.Service) {
	l, on := open(t, settings(t, s, "contract")), session(t, s, "contract")
	entries := func(k docket.Key) (n int) {
		t.Helper()
		if err := on.Query("SELECT count(*) FROM open_dockets WHERE bucket = ? AND cluster = ? AND root = ?", k.Bucket(), k.Cluster, k.Root).ScanContext(t.Context(), &n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	// A writer closed it, and died before its history got the deadline and its entry was removed.
	d := sample("left", docket.Open)
	store(t, l, &d, entry("opened"))
	k := d.Key
	exec(t, on, "UPDATE dockets SET live = false, closed = ? WHERE cluster = ? AND root = ?", time.Now().UnixMicro(), k.Cluster, k.Root)
	// Others died before the first change was stored: long ago, and just now.
	old, young := docket.Key{Cluster: "c", Root: "old"}, docket.Key{Cluster: "c", Root: "young"}
	for key, at := range map[docket.Key]int64{old: 1000, young: time.Now().UnixMicro()} {
		exec(t, on, "INSERT INTO open_dockets (bucket, cluster, root, stamp) VALUES (?, ?, ?, ?) USING TIMESTAMP ?", key.Bucket(), key.Cluster, key.Root, at, at)
	}
	for key, left := range map[docket.Key]int{k: 0, old: 0, young: 1} {
		if n := entries(key); n != 1 {
			t.Errorf("%s: %d entries before", key, n)
		}
		if keys, err := l.OpenInBucket(t.Context(), key.Bucket()); err != nil || slices.Contains(keys, key) {
			t.Errorf("%s: open with nothing to do: %v, %v", key, keys, err)
		}
		if n := entries(key); n != left {
			t.Errorf("%s: %d entries after, want %d", key, n, left)
		}
	}
	var ttl int
	if err := on.Query("SELECT ttl(line) FROM dockets WHERE cluster = ? AND root = ? LIMIT 1", k.Cluster, k.Root).ScanContext(t.Context(), &ttl); err != nil || ttl == 0 {
		t.Errorf("the history has no deadline yet: %d, %v", ttl, err)
	}
}

// reborn lets a docket expire and come again: versions begin anew, and neither an old
// removal among the open ones nor an old copy in a mirror hides it.
func reborn(t *testing.T, s *services.Service) {
	conf := settings(t, s, "contract")
	l, on := run(t, conf, t.TempDir()+"/mirror.db"), session(t, s, "contract")
	defer func() { _ = l.Close() }()
	d := sample("reborn", docket.Open)
	for range 5 {
		store(t, l, &d, entry("first life"))
	}
	d.Cases[0].State = docket.Resolved
	store(t, l, &d, entry("closed"))
	exec(t, on, "DELETE FROM dockets WHERE cluster = ? AND root = ?", d.Key.Cluster, d.Key.Root)
	d = sample("reborn", docket.Open)
	d.Cases[0].Evidence = "second life"
	store(t, l, &d, entry("second life"))
	keys, err := l.OpenInBucket(t.Context(), d.Key.Bucket())
	if err != nil || len(keys) != 1 || keys[0] != d.Key {
		t.Errorf("open: %v, %v", keys, err)
	}
	page, err := l.Cases(t.Context(), ledger.CaseQuery{Text: "second life"})
	if err != nil || page.Total != 1 {
		t.Errorf("%d cases, %v", page.Total, err)
	}
	lines, err := l.Lines(t.Context(), ledger.LineQuery{Text: "reborn life"})
	if err != nil || len(lines.Lines) != 6 {
		t.Errorf("%d lines, %v; want 5 of the first life and 1 of the second", len(lines.Lines), err)
	}
}
