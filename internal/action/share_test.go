package action

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
)

// away is a ledger that does not list what is open while it is away.
type away struct {
	ledger.Store
	back   atomic.Bool
	listed atomic.Int32
}

func (a *away) OpenInBucket(ctx context.Context, bucket int) ([]docket.Key, error) {
	a.listed.Add(1)
	if !a.back.Load() {
		return nil, errors.New("no host answers")
	}
	return a.Store.OpenInBucket(ctx, bucket)
}

// A bucket is ours when what is open in it is known, and not before.
func TestABucketIsOwnedOnceItIsRead(t *testing.T) {
	h := newHall(t, 1)
	h.finds("web")
	e := h.engines[0]
	e.Lost(t.Context(), docket.AllBuckets())
	store := &away{Store: h.ledger}
	e.Ledger = store
	ended := make(chan error, 1)
	bucket := keyOf("web").Bucket()
	go func() { ended <- e.Gained(t.Context(), []int{bucket}) }()
	for end := time.Now().Add(10 * time.Second); store.listed.Load() == 0 && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	if e.index.owns(bucket) {
		t.Error("it is owned, and nobody knows what is open in it")
	}
	store.back.Store(true)
	must(t, <-ended)
	if !e.index.owns(bucket) || e.Open() != 1 || store.listed.Load() < 2 {
		t.Errorf("read again %d times: owned %v, %d open", store.listed.Load()-1, e.index.owns(bucket), e.Open())
	}
}

// An outage is said, whichever buckets are ours, and not by each that is asked beside others.
func TestAnOutageIsSaidForWhateverBuckets(t *testing.T) {
	h := newHall(t, 1)
	e := h.engines[0]
	store := &away{Store: h.ledger}
	var log strings.Builder
	e.Ledger, e.Log = store, slog.New(slog.NewTextHandler(&log, nil))
	ended := make(chan error, 1)
	mine := []int{1, 33, 65, 97} // of one partition of 32
	go func() { ended <- e.Gained(t.Context(), mine) }()
	for end := time.Now().Add(10 * time.Second); store.listed.Load() < int32(len(mine)) && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	store.back.Store(true)
	must(t, <-ended)
	if n := strings.Count(log.String(), "the ledger does not answer; trying again"); n == 0 || n >= len(mine) {
		t.Errorf("said %d times:\n%s", n, log.String())
	}
}
