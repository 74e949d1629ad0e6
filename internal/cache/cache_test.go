package cache_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/k8guard/k8guard/internal/cache"
)

// broken is a store that is down, or holds what it was given.
type broken struct {
	mu   sync.Mutex
	down error
	kept map[string][]byte
}

func (b *broken) Get(_ context.Context, key string) ([]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.down != nil {
		return nil, b.down
	}
	if value, ok := b.kept[key]; ok {
		return value, nil
	}
	return nil, cache.ErrMiss
}

func (b *broken) Put(_ context.Context, key string, value []byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.down != nil {
		return b.down
	}
	b.kept[key] = value
	return nil
}

func (*broken) Close() error { return nil }

func TestDownIsAMiss(t *testing.T) {
	store := &broken{kept: map[string][]byte{}}
	c, other := cache.New(store, "sizes"), cache.New(store, "answers")
	registry := prometheus.NewRegistry()
	registry.MustRegister(c, other)
	if _, ok := c.Get(t.Context(), "a"); ok {
		t.Error("found in an empty cache")
	}
	if !c.Put(t.Context(), "a", []byte("one")) {
		t.Error("not kept")
	}
	if value, ok := c.Get(t.Context(), "a"); !ok || string(value) != "one" {
		t.Errorf("got %q, %v", value, ok)
	}
	if _, ok := other.Get(t.Context(), "a"); ok {
		t.Error("one use sees the other's keys")
	}
	if c.Put(t.Context(), "large", make([]byte, cache.MaxValue+1)) {
		t.Error("a value that is too large was kept")
	}
	store.down = errors.New("down")
	if _, ok := c.Get(t.Context(), "a"); ok {
		t.Error("found in a cache that is down")
	}
	c.Put(t.Context(), "a", []byte("two"))
	if value, err := c.Load(t.Context(), "a", func(context.Context) ([]byte, error) { return []byte("made"), nil }); err != nil || string(value) != "made" {
		t.Errorf("load from a cache that is down: %q, %v", value, err)
	}
	const counts = `
# HELP k8guard_cache_errors_total Questions and values that a cache did not take: it is down, slow, or the value is too large.
# TYPE k8guard_cache_errors_total counter
k8guard_cache_errors_total{use="answers"} 0
k8guard_cache_errors_total{use="sizes"} 5
# HELP k8guard_cache_hits_total Values that a cache had.
# TYPE k8guard_cache_hits_total counter
k8guard_cache_hits_total{use="answers"} 0
k8guard_cache_hits_total{use="sizes"} 1
# HELP k8guard_cache_misses_total Values that a cache did not have, or could not be asked for.
# TYPE k8guard_cache_misses_total counter
k8guard_cache_misses_total{use="answers"} 1
k8guard_cache_misses_total{use="sizes"} 3
`
	if err := testutil.GatherAndCompare(registry, strings.NewReader(counts)); err != nil {
		t.Error(err)
	}
}

// TestOneWorks lets a hundred want one value at once; the first of them leaves.
func TestOneWorks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := cache.New(&broken{kept: map[string][]byte{}}, "sizes")
		var made atomic.Int32
		work := func(ctx context.Context) ([]byte, error) {
			made.Add(1)
			time.Sleep(time.Minute)
			return []byte("dear"), ctx.Err()
		}
		first, leave := context.WithCancel(t.Context())
		gone := make(chan error, 1)
		go func() {
			_, err := c.Load(first, "a", work)
			gone <- err
		}()
		synctest.Wait()
		var all sync.WaitGroup
		for range 100 {
			all.Go(func() {
				if value, err := c.Load(t.Context(), "a", work); err != nil || string(value) != "dear" {
					t.Errorf("got %q, %v", value, err)
				}
			})
		}
		synctest.Wait()
		leave()
		if err := <-gone; !errors.Is(err, context.Canceled) {
			t.Errorf("who left got %v", err)
		}
		all.Wait()
		if n := made.Load(); n != 1 {
			t.Errorf("made %d times, want once", n)
		}
	})
}

func TestAnErrorIsNotKept(t *testing.T) {
	c := cache.New(&broken{kept: map[string][]byte{}}, "sizes")
	bad := errors.New("bad")
	if _, err := c.Load(t.Context(), "a", func(context.Context) ([]byte, error) { return nil, bad }); !errors.Is(err, bad) {
		t.Errorf("got %v", err)
	}
	if value, err := c.Load(t.Context(), "a", func(context.Context) ([]byte, error) { return []byte("good"), nil }); err != nil || string(value) != "good" {
		t.Errorf("got %q, %v", value, err)
	}
}
