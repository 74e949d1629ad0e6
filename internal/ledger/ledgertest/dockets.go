package ledgertest

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
)

const (
	writers   = 16
	perWriter = 8
)

func absent(t *testing.T, l ledger.Ledger) {
	d, err := l.Load(t.Context(), key("nobody"))
	if err != nil {
		t.Fatal(err)
	}
	same(t, "absent docket", d, docket.Docket{Key: key("nobody")})
	r, err := l.Get(t.Context(), "nothing/here")
	if err != nil || r.Key != "nothing/here" || r.Version != 0 || len(r.Value) != 0 {
		t.Errorf("absent record: %+v, %v", r, err)
	}
}

func compareAndSet(t *testing.T, l ledger.Ledger) {
	d := sample("one", find("IMAGE_REPO", "high", docket.Open))
	for want := int64(1); want <= 3; want++ {
		d.Hash = fmt.Sprintf("hash-%d", want)
		if got := store(t, l, d); got != want {
			t.Fatalf("version %d, want %d", got, want)
		}
		d.Version = want
		loaded, err := l.Load(t.Context(), d.Key)
		if err != nil {
			t.Fatal(err)
		}
		same(t, "loaded", loaded, d)
	}
	for _, version := range []int64{0, 1, 2, 4, -1} {
		old := d
		old.Version, old.Hash = version, "must not be stored"
		if v, err := l.CompareAndSet(t.Context(), old, nil); !errors.Is(err, ledger.ErrConflict) || v != 0 {
			t.Errorf("version %d over 3: stored %d, %v; want ErrConflict", version, v, err)
		}
	}
	never := sample("never")
	never.Version = 1
	if _, err := l.CompareAndSet(t.Context(), never, nil); !errors.Is(err, ledger.ErrConflict) {
		t.Errorf("version 1 over nothing: %v, want ErrConflict", err)
	}
	loaded, err := l.Load(t.Context(), d.Key)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "after conflicts", loaded, d)
}

func entriesAtomic(t *testing.T, l ledger.Ledger) {
	d := sample("one", find("IMAGE_REPO", "high", docket.Open))
	kept := docket.Entry{At: start(), Kind: docket.EntryOpened, Case: d.Cases[0].ID, Text: "kept", Data: map[string]string{"a": "b"}}
	store(t, l, d, kept)
	lost := docket.Entry{At: start(), Kind: docket.EntrySeen, Text: "must not be stored"}
	if _, err := l.CompareAndSet(t.Context(), d, []docket.Entry{lost}); !errors.Is(err, ledger.ErrConflict) {
		t.Fatalf("want ErrConflict, got %v", err)
	}
	lines, err := l.History(t.Context(), d.Key, 0, 10)
	if err != nil || len(lines) != 1 {
		t.Fatalf("history: %v, %v; want the one entry of the change that was stored", lines, err)
	}
	same(t, "entry", lines[0].Entry, kept)
}

func docketsUnderLoad(t *testing.T, l ledger.Ledger) {
	k := key("busy")
	race(t, func(writer, n int) error {
		_, err := ledger.Update(t.Context(), l, k, func(d docket.Docket) (docket.Docket, []docket.Entry, bool, error) {
			count, _ := strconv.Atoi(d.Hash)
			d.Hash = strconv.Itoa(count + 1)
			return d, []docket.Entry{{At: start(), Kind: docket.EntrySeen, Text: fmt.Sprint(writer, n)}}, true, nil
		})
		return err
	})
	d, err := l.Load(t.Context(), k)
	if err != nil || d.Version != writers*perWriter || d.Hash != strconv.Itoa(writers*perWriter) {
		t.Errorf("after %d increments: version %d, count %s, %v", writers*perWriter, d.Version, d.Hash, err)
	}
	lines, err := l.History(t.Context(), k, 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]bool{}
	for _, line := range lines {
		texts[line.Entry.Text] = true
	}
	if len(lines) != writers*perWriter || len(texts) != len(lines) {
		t.Errorf("%d entries, %d different; want one for each increment", len(lines), len(texts))
	}
}

// race runs do perWriter times in each of the writers, all at once.
func race(t *testing.T, do func(writer, n int) error) {
	t.Helper()
	var group sync.WaitGroup
	for writer := range writers {
		group.Go(func() {
			for n := range perWriter {
				if err := do(writer, n); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
}

func openInBucket(t *testing.T, l ledger.Ledger) {
	intent := sample("intent")
	intent.Enforcement = &docket.Enforcement{ID: "e-1", State: docket.Intent}
	done := sample("done")
	done.Enforcement = &docket.Enforcement{ID: "e-2", State: docket.Done}
	untold := sample("untold", find("IMAGE_REPO", "high", docket.Resolved))
	untold.Cases[0].ToldResolved, untold.Cases[0].Notices = false, []docket.NoticeRef{{Key: "n", Result: docket.Sent}}
	for _, d := range []docket.Docket{sample("open", find("IMAGE_REPO", "high", docket.Open)),
		sample("standing", find("IMAGE_REPO", "high", docket.Standing)),
		sample("resolved", find("IMAGE_REPO", "high", docket.Resolved)), sample("clean"), intent, done, untold} {
		if listed := inBucket(t, l, d.Key); listed {
			t.Errorf("%s is listed before it is stored", d.Key)
		}
		store(t, l, d)
		if listed := inBucket(t, l, d.Key); listed != d.Live() {
			t.Errorf("%s: listed %v, live %v", d.Key, listed, d.Live())
		}
		d.Version, d.Cases, d.Enforcement = 1, nil, nil
		store(t, l, d)
		if inBucket(t, l, d.Key) {
			t.Errorf("%s is listed with nothing left to do", d.Key)
		}
	}
}

func inBucket(t testing.TB, l ledger.Ledger, k docket.Key) bool {
	t.Helper()
	keys, err := l.OpenInBucket(t.Context(), k.Bucket())
	if err != nil {
		t.Fatal(err)
	}
	for _, other := range keys {
		if other.Bucket() != k.Bucket() {
			t.Errorf("bucket %d lists %s of bucket %d", k.Bucket(), other, other.Bucket())
		}
	}
	return slices.Contains(keys, k)
}
