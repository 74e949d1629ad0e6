package outbox_test

import (
	"fmt"
	"path/filepath"
	"reflect"
	"sync"
	"testing"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/ledger/sqlite"
	"github.com/k8guard/k8guard/internal/notify"
	"github.com/k8guard/k8guard/internal/outbox"
)

const channel = "email"

func start() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

func ada() v1.Owner { return v1.Owner{Emails: []string{"ada@example.com"}, Platform: true} }

func open(t testing.TB) ledger.Ledger {
	t.Helper()
	l, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "ledger.db"), time.Now)
	must(t, err)
	t.Cleanup(func() { must(t, l.Close()) })
	return l
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func entry(n int) outbox.Entry {
	return outbox.Entry{Docket: docket.Key{Cluster: "c", Root: fmt.Sprint("root-", n)}, Case: fmt.Sprint("case-", n), Purpose: docket.Warning}
}

func digest(cases ...int) notify.Digest {
	d := notify.Digest{At: start()}
	for _, n := range cases {
		d.Items = append(d.Items, notify.Item{Case: entry(n).Case, Purpose: string(docket.Warning), N: 1})
	}
	return d
}

func file(t testing.TB, l ledger.Ledger, at time.Time, cases ...int) outbox.Box {
	t.Helper()
	var entries []outbox.Entry
	for _, n := range cases {
		entries = append(entries, entry(n))
	}
	b, err := outbox.File(t.Context(), l, ada(), channel, entries, at)
	must(t, err)
	return b
}

func box(t testing.TB, l ledger.Ledger) outbox.Box {
	t.Helper()
	b, err := ledger.Read[outbox.Box](t.Context(), l, outbox.BoxKey(ada().Key(), channel))
	must(t, err)
	return b
}

func stored(t testing.TB, l ledger.Ledger, key string) outbox.Notice {
	t.Helper()
	n, err := ledger.Read[outbox.Notice](t.Context(), l, key)
	must(t, err)
	return n
}

func TestFileKeepsEachEntryOnce(t *testing.T) {
	l := open(t)
	file(t, l, start(), 1, 2)
	b := file(t, l, start().Add(time.Hour), 2, 3)
	want := outbox.Box{Owner: ada(), Channel: channel, Next: 1, Entries: []outbox.Entry{entry(1), entry(2), entry(3)}, Since: start()}
	if !reflect.DeepEqual(b, want) || !reflect.DeepEqual(box(t, l), want) {
		t.Errorf("%+v\nwant %+v", b, want)
	}
	// The same case for another purpose is another thing to tell.
	told := entry(1)
	told.Purpose = docket.AllClear
	b, err := outbox.File(t.Context(), l, ada(), channel, []outbox.Entry{told}, start())
	if must(t, err); len(b.Entries) != 4 {
		t.Errorf("%+v", b.Entries)
	}
}

func TestConcurrentFilesLoseNothing(t *testing.T) {
	l := open(t)
	const writers, each = 16, 3
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			for n := range each {
				if _, err := outbox.File(t.Context(), l, ada(), channel, []outbox.Entry{entry(w*each + n), entry(-1)}, start()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	found := map[string]int{}
	for _, e := range box(t, l).Entries {
		found[e.Case]++
	}
	if len(found) != writers*each+1 {
		t.Errorf("%d entries, want %d", len(found), writers*each+1)
	}
	for id, n := range found {
		if n != 1 {
			t.Errorf("%s is there %d times", id, n)
		}
	}
}

func TestTakeRemovesWhatIsToldAndWhatIsNoLongerDue(t *testing.T) {
	for _, test := range []struct {
		name    string
		told    []int
		dropped []outbox.Entry
		left    []outbox.Entry
		next    int
	}{
		{"told", []int{1, 3}, nil, []outbox.Entry{entry(2)}, 2},
		{"told and dropped", []int{1}, []outbox.Entry{entry(2)}, []outbox.Entry{entry(3)}, 2},
		{"only dropped", nil, []outbox.Entry{entry(1), entry(2), entry(3)}, nil, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := open(t)
			b := file(t, l, start(), 1, 2, 3)
			now := start().Add(time.Minute)
			n := outbox.Notice{Owner: b.Owner, Channel: b.Channel}
			if test.told != nil {
				var err error
				n, err = outbox.Open(t.Context(), l, b, digest(test.told...))
				must(t, err)
			}
			must(t, outbox.Take(t.Context(), l, n, test.dropped, now))
			got := box(t, l)
			if len(got.Entries) != len(test.left) || len(test.left) > 0 && !reflect.DeepEqual(got.Entries, test.left) {
				t.Errorf("left %+v, want %+v", got.Entries, test.left)
			}
			if got.Next != test.next || !got.Since.Equal(now) || got.LastTry.Equal(now) != (test.told != nil) {
				t.Errorf("%+v, want next %d", got, test.next)
			}
		})
	}
}

// What nobody tells of one cluster leaves room for what is of another.
func TestOneClusterDoesNotCrowdOutAnother(t *testing.T) {
	l := open(t)
	many := func(cluster string, from, n int) (all []outbox.Entry) {
		for i := range n {
			all = append(all, outbox.Entry{Docket: docket.Key{Cluster: cluster, Root: fmt.Sprint("r", from+i)}, Case: "c", Purpose: docket.Warning, First: true})
		}
		return all
	}
	count := func(cluster string, entries []outbox.Entry) int {
		t.Helper()
		b, err := outbox.File(t.Context(), l, ada(), channel, entries, start())
		must(t, err)
		n := 0
		for _, e := range b.Entries {
			if e.Docket.Cluster == cluster {
				n++
			}
		}
		return n
	}
	if n := count("west", many("west", 0, 3000)); n != outbox.MaxFirst {
		t.Errorf("west has %d", n)
	}
	if n := count("east", many("east", 0, 70)); n != 70 {
		t.Errorf("east has %d of 70", n)
	}
	if n := count("east", many("east", 70, 70)); n != 100 {
		t.Errorf("east has %d, and may have a hundred", n)
	}
	for i := range 60 {
		count(fmt.Sprint("c", i), many(fmt.Sprint("c", i), 0, 100))
	}
	if total := len(box(t, l).Entries); total > 2*outbox.MaxEntries {
		t.Errorf("%d entries in all", total)
	}
}
