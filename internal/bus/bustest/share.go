package bustest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/bus"
	"github.com/k8guard/k8guard/internal/docket"
)

// Deaf is a share that takes whatever it is given.
type Deaf struct{}

// Gained implements bus.Share.
func (Deaf) Gained(context.Context, []int) error { return nil }

// Lost implements bus.Share.
func (Deaf) Lost(context.Context, []int) {}

// Holdings is a share that keeps book, and fails a test that breaks the order.
type Holdings struct {
	T testing.TB

	mu    sync.Mutex
	owned map[int]bool
}

// Gained implements bus.Share.
func (h *Holdings) Gained(_ context.Context, buckets []int) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.owned == nil {
		h.owned = map[int]bool{}
	}
	for _, b := range buckets {
		if h.owned[b] {
			h.T.Errorf("bucket %d is gained twice", b)
		}
		h.owned[b] = true
	}
	return nil
}

// Lost implements bus.Share.
func (h *Holdings) Lost(_ context.Context, buckets []int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, b := range buckets {
		if !h.owned[b] {
			h.T.Errorf("bucket %d is lost, and was not gained", b)
		}
		delete(h.owned, b)
	}
}

// Owned lists how many buckets are held, and whether one of them is.
func (h *Holdings) Owned(bucket int) (n int, has bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.owned), h.owned[bucket]
}

func pass(t *testing.T, open Make) {
	_, c := open(t, 16)
	got := make(chan v1.Message, 4)
	consume(t, c, func(_ context.Context, m v1.Message) error { got <- m; return nil })
	wake := v1.Message{Wake: &v1.Wake{V: v1.Version, Box: "outbox/email/ada@example.com", Notice: "notice/email/ada@example.com/7"}}
	if err := c.Pass(t.Context(), wake); err != nil {
		t.Fatal(err)
	}
	if m := receive(t, got, 1)[0]; m.Wake == nil || *m.Wake != *wake.Wake {
		t.Errorf("came %s, want %s", text(t, m), text(t, wake))
	}
}

func shares(t *testing.T, open Make) {
	p, c := open(t, 64)
	held := &Holdings{T: t}
	got := make(chan v1.Message, 64)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- c.Consume(ctx, func(_ context.Context, m v1.Message) error {
			if _, has := held.Owned(bus.Bucket(m)); !has {
				t.Errorf("a message of bucket %d, which is not held", bus.Bucket(m))
			}
			got <- m
			return nil
		}, held)
	}()
	publish(t, p, inventory(1, 0), inventory(500, 0), inventory(docket.Buckets-1, 0))
	receive(t, got, 3)
	if n, _ := held.Owned(0); n != docket.Buckets {
		t.Errorf("the only consumer holds %d buckets, want all %d", n, docket.Buckets)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if n, _ := held.Owned(0); n != 0 {
		t.Errorf("%d buckets are held after the end", n)
	}
}

type refuses struct{ Deaf }

var errRefuses = errors.New("the ledger is down")

func (refuses) Gained(context.Context, []int) error { return errRefuses }

func shareFails(t *testing.T, open Make) {
	_, c := open(t, 4)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	began := time.Now()
	err := c.Consume(ctx, func(context.Context, v1.Message) error { return nil }, refuses{})
	if !errors.Is(err, errRefuses) {
		t.Errorf("consume ended with %v after %s, want the share's error", err, time.Since(began))
	}
}
