package cassandra_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"sync"
	"testing"
	"time"

	gocql "github.com/apache/cassandra-gocql-driver/v2"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/ledger/cassandra"
	"github.com/k8guard/k8guard/tools/services"
)

// total is how many open cases the report counts.
func total(l ledger.Projections, q ledger.CaseQuery, want int) func() error {
	return func() error {
		page, err := l.Cases(context.Background(), q)
		if err == nil && page.Total != want {
			err = fmt.Errorf("%d cases, want %d", page.Total, want)
		}
		return err
	}
}

// lateFeed brings changes to the mirror that its quick look does not see.
func lateFeed(t *testing.T, s *services.Service) {
	conf := settings(t, s, "contract")
	empty(t, conf)
	l := run(t, conf, filepath.Join(t.TempDir(), "mirror.db"))
	defer func() { _ = l.Close() }()

	slow := conf
	slow.Now = func() time.Time { return time.Now().Add(-25 * time.Second) }
	behind := sample("clock behind", docket.Open)
	store(t, open(t, slow), &behind)
	eventually(t, total(l, ledger.CaseQuery{}, 1))

	// A writer announces, is paused, and writes: the feed is not told again.
	on := session(t, s, "contract")
	late := sample("late", docket.Open)
	stamp := time.Now().Add(time.Minute).UnixMicro()
	exec(t, on, "INSERT INTO changes (hour, shard, id, cluster, root, stamp) VALUES (?, 3, ?, ?, ?, ?)",
		time.Now().Unix()/3600, gocql.UUIDFromTime(time.Now()), late.Key.Cluster, late.Key.Root, stamp)
	time.Sleep(2 * time.Second) // the entry has been read, and nothing found
	var doc []byte
	if err := on.Query("SELECT doc FROM dockets WHERE cluster = ? AND root = ?", behind.Key.Cluster, behind.Key.Root).ScanContext(t.Context(), &doc); err != nil {
		t.Fatal(err)
	}
	other := open(t, settings(t, s, "elsewhere"))
	store(t, other, &late)
	if err := session(t, s, "elsewhere").Query("SELECT doc FROM dockets WHERE cluster = ? AND root = ?", late.Key.Cluster, late.Key.Root).ScanContext(t.Context(), &doc); err != nil {
		t.Fatal(err)
	}
	exec(t, on, "UPDATE dockets SET version = 1, stamp = ?, live = true, closed = 0, doc = ? WHERE cluster = ? AND root = ?", stamp, doc, late.Key.Cluster, late.Key.Root)
	eventually(t, total(l, ledger.CaseQuery{}, 2))
}

// mirrorsAgree pages through the history, each page from another replica.
func mirrorsAgree(t *testing.T, s *services.Service) {
	conf := settings(t, s, "contract")
	empty(t, conf)
	dir := t.TempDir()
	a, b := run(t, conf, filepath.Join(dir, "a.db")), run(t, conf, filepath.Join(dir, "b.db"))
	const dockets, changes = 12, 5
	var group sync.WaitGroup
	for i := range dockets {
		group.Go(func() {
			d := sample(number(i), docket.Open)
			for n := range changes {
				version, err := []*running{a, b}[(i+n)%2].CompareAndSet(t.Context(), d, []docket.Entry{entry(fmt.Sprint("words ", i, n)), entry("words again")})
				if err != nil {
					t.Error(err)
					return
				}
				d.Version = version
			}
		})
	}
	group.Wait()
	const all = 2 * dockets * changes
	for _, l := range []*running{a, b} {
		eventually(t, func() error {
			page, err := l.Lines(t.Context(), ledger.LineQuery{Limit: 1000})
			if err == nil && len(page.Lines) != all {
				err = fmt.Errorf("%d lines, want %d", len(page.Lines), all)
			}
			return err
		})
	}
	c := run(t, conf, filepath.Join(dir, "built-later.db"))
	for _, q := range []ledger.LineQuery{{}, {Text: "words"}, {Namespace: "shop"}, {Owner: "a@example.com"}} {
		q.Limit = 1000
		whole, err := a.Lines(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		var got []ledger.Line
		q.Limit = 7
		for n := 0; n == 0 || q.Cursor != ""; n++ {
			page, err := []*running{a, b, c}[n%3].Lines(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			got, q.Cursor = append(got, page.Lines...), page.Next
		}
		if len(got) != all || !reflect.DeepEqual(got, whole.Lines) {
			t.Errorf("%+v: %d lines by turns are not the %d lines of one", q, len(got), len(whole.Lines))
		}
	}
	for _, l := range []*running{a, b, c} {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
}

// retention lets two dockets pass their retention, one of which shared a notice with a
// third that stays: the mirror forgets the two, and Cassandra the notice of theirs alone.
func retention(t *testing.T, s *services.Service) {
	conf := settings(t, s, "contract")
	empty(t, conf)
	file := filepath.Join(t.TempDir(), "mirror.db")
	l := run(t, conf, file)
	for i, keys := range [][]string{{"notice/theirs"}, {"notice/theirs", "notice/shared"}, {"notice/shared"}} {
		d := sample(number(i), docket.Resolved)
		if i == 2 {
			d.Cases[0].State = docket.Open
		}
		for _, k := range keys {
			d.Cases[0].Notices = append(d.Cases[0].Notices, docket.NoticeRef{Key: k, Result: docket.Sent})
		}
		store(t, l, &d, entry("told"))
	}
	for _, k := range []string{"notice/theirs", "notice/shared"} {
		if _, err := l.Put(t.Context(), ledger.Record{Key: k, Value: []byte("{}")}); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	conf.Now = func() time.Time { return time.Now().Add(conf.Retention + 48*time.Hour) }
	later := run(t, conf, file)
	defer func() { _ = later.Close() }()
	eventually(t, total(later, ledger.CaseQuery{Statuses: []string{"open", "resolved"}}, 1))
	for k, want := range map[string]int64{"notice/theirs": 0, "notice/shared": 1} {
		if r, err := later.Get(t.Context(), k); err != nil || r.Version != want {
			t.Errorf("%s: version %d, %v; want %d", k, r.Version, err, want)
		}
	}
	if page, err := later.Lines(t.Context(), ledger.LineQuery{}); err != nil || len(page.Lines) != 1 {
		t.Errorf("%d lines, %v; want that of the open docket", len(page.Lines), err)
	}
}

// brokenDocket holds up no other docket.
func brokenDocket(t *testing.T, s *services.Service) {
	conf := settings(t, s, "contract")
	empty(t, conf)
	exec(t, session(t, s, "contract"), "UPDATE dockets SET version = 1, stamp = 1, doc = 0x1234 WHERE cluster = 'c' AND root = 'broken'")
	l := run(t, conf, filepath.Join(t.TempDir(), "mirror.db"))
	defer func() { _ = l.Close() }()
	whole := sample("whole", docket.Open)
	store(t, l, &whole)
	eventually(t, total(l, ledger.CaseQuery{}, 1))
	if _, err := l.Load(t.Context(), docket.Key{Cluster: "c", Root: "broken"}); err == nil {
		t.Error("a broken docket was loaded")
	}
}

// otherMirror wants only what this ledger holds, whatever the file is.
func otherMirror(t *testing.T, s *services.Service) {
	conf := settings(t, s, "contract")
	file := filepath.Join(t.TempDir(), "mirror.db")
	if err := os.WriteFile(file, []byte("this is no database, and long enough to be seen as none; it is thrown away"), 0o600); err != nil {
		t.Fatal(err)
	}
	l := run(t, conf, file)
	d := sample("only here", docket.Open)
	store(t, l, &d)
	if _, err := cassandra.OpenReport(t.Context(), conf, file); err == nil {
		t.Error("two processes have one mirror")
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	other := run(t, settings(t, s, "race"), file)
	defer func() { _ = other.Close() }()
	page, err := other.Cases(t.Context(), ledger.CaseQuery{Text: "only"})
	if err != nil || page.Total != 0 {
		t.Errorf("%d cases of another ledger, %v", page.Total, err)
	}
	if all, err := other.Cases(t.Context(), ledger.CaseQuery{}); err != nil || all.Total == 0 {
		t.Errorf("%d cases of its own, %v", all.Total, err)
	}
}
