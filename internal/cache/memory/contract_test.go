package memory_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/cache"
	"github.com/k8guard/k8guard/internal/cache/cachetest"
	"github.com/k8guard/k8guard/internal/cache/memory"
)

func TestContract(t *testing.T) {
	cachetest.Run(t, func(t testing.TB, expiry time.Duration) cache.Store { return open(t, 8<<20, expiry) })
}

// TestSize fills a store many times over.
func TestSize(t *testing.T) {
	const size, each = 1 << 20, 10 << 10
	s := open(t, size, time.Hour)
	defer func() { _ = s.Close() }()
	for i := range 1000 {
		if err := s.Put(t.Context(), fmt.Sprint(i), make([]byte, each)); err != nil {
			t.Fatal(err)
		}
	}
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) { // it sheds beside
		held := 0
		for i := range 1000 {
			value, err := s.Get(t.Context(), fmt.Sprint(i))
			if err != nil && !errors.Is(err, cache.ErrMiss) {
				t.Fatal(err)
			}
			held += len(value)
		}
		if held > 0 && held <= size {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("it holds %d bytes, and may hold %d", held, size)
		}
	}
}

func open(t testing.TB, size uint64, expiry time.Duration) cache.Store {
	t.Helper()
	s, err := memory.New(size, expiry)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
