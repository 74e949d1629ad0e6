// Package cachetest is the contract of a cache's back end as tests.
//
// Purpose: every back end proves with [Run] that it does what package cache promises.
//
// Concurrency: each test opens a store of its own; goroutines that it leaves behind fail it.
//
// Guarantees: a failure names the promise that is broken. Every wait has an end.
//
// It will not: fill a back end, or test what only one of them promises.
package cachetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/k8guard/k8guard/internal/cache"
)

// patience ends a wait that should not be needed.
const patience = 20 * time.Second

// Run tests a back end; open returns an empty store with this expiry, which Run closes.
func Run(t *testing.T, open func(t testing.TB, expiry time.Duration) cache.Store) {
	for _, test := range []struct {
		name   string
		expiry time.Duration
		run    func(t *testing.T, s cache.Store)
	}{
		{"what was put, and no more", time.Hour, putAndGet},
		{"any key", time.Hour, anyKey},
		{"any value", time.Hour, anyValue},
		{"a value that is too large is not kept", time.Hour, tooLarge},
		{"a copy, not the caller's own", time.Hour, copies},
		{"many at once", time.Hour, together},
		{"an ended context", time.Hour, ended},
		{"expiry", 2 * time.Second, expires},
	} {
		t.Run(test.name, func(t *testing.T) {
			known := goleak.IgnoreCurrent()
			t.Cleanup(func() { goleak.VerifyNone(t, known) })
			s := open(t, test.expiry)
			t.Cleanup(func() {
				if err := s.Close(); err != nil {
					t.Errorf("close: %v", err)
				}
			})
			test.run(t, s)
		})
	}
}

func put(t testing.TB, s cache.Store, key string, value []byte) {
	t.Helper()
	if err := s.Put(t.Context(), key, value); err != nil {
		t.Fatalf("put %.80q: %v", key, err)
	}
}

// want wants the value; nil wants a miss.
func want(t testing.TB, s cache.Store, key string, value []byte) {
	t.Helper()
	got, err := s.Get(t.Context(), key)
	switch {
	case value == nil && !errors.Is(err, cache.ErrMiss):
		t.Errorf("get %.80q: %d bytes, %v; want a miss", key, len(got), err)
	case value != nil && (err != nil || !bytes.Equal(got, value)):
		t.Errorf("get %.80q: %.80q, %v; want %.80q", key, got, err, value)
	}
}

func putAndGet(t *testing.T, s cache.Store) {
	want(t, s, "a", nil)
	put(t, s, "a", []byte("one"))
	put(t, s, "b", []byte("two"))
	want(t, s, "a", []byte("one"))
	put(t, s, "a", []byte("three"))
	want(t, s, "a", []byte("three"))
	want(t, s, "b", []byte("two"))
	want(t, s, "A", nil)
}

// anyKey has keys that are text of others, and commands in Memcached's protocol.
func anyKey(t *testing.T, s cache.Store) {
	long := strings.Repeat("k", 10_000)
	keys := []string{"", " ", "a b", "a\r\nflush_all\r\n", "\x00", "\xff\xfe", "ключ", long, long + "1", "k8guard:1:a", "a/../b"}
	for i, key := range keys {
		put(t, s, key, fmt.Append(nil, i))
	}
	for i, key := range keys {
		want(t, s, key, fmt.Append(nil, i))
	}
}

func anyValue(t *testing.T, s cache.Store) {
	for i, value := range [][]byte{{}, {0}, []byte("END\r\n"), []byte("VALUE a 0 4294967295\r\n"), bytes.Repeat([]byte{0xff, '\n'}, 1<<16)} {
		key := fmt.Sprint("value ", i)
		put(t, s, key, value)
		want(t, s, key, value)
	}
}

func tooLarge(t *testing.T, s cache.Store) {
	most := bytes.Repeat([]byte("x"), cache.MaxValue)
	put(t, s, "large", most)
	want(t, s, "large", most)
	if err := s.Put(t.Context(), "larger", append(most, 'x')); !errors.Is(err, cache.ErrTooLarge) {
		t.Errorf("put %d bytes: %v, want ErrTooLarge", cache.MaxValue+1, err)
	}
	want(t, s, "larger", nil)
	put(t, s, "after", []byte("it works on"))
	want(t, s, "after", []byte("it works on"))
}

func copies(t *testing.T, s cache.Store) {
	value := []byte("mine")
	put(t, s, "a", value)
	value[0] = 'X'
	got, err := s.Get(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	got[1] = 'X'
	want(t, s, "a", []byte("mine"))
}

func together(t *testing.T, s cache.Store) {
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for j := range 50 {
				key, value := fmt.Sprint(i, "/", j), fmt.Append(nil, j, " of ", i)
				if err := s.Put(t.Context(), key, value); err != nil {
					t.Errorf("put: %v", err)
				}
				want(t, s, key, value)
			}
		})
	}
	all.Wait()
}

func ended(t *testing.T, s cache.Store) {
	put(t, s, "a", []byte("one"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Get(ctx, "a"); !errors.Is(err, context.Canceled) {
		t.Errorf("get with an ended context: %v", err)
	}
	if err := s.Put(ctx, "a", []byte("two")); !errors.Is(err, context.Canceled) {
		t.Errorf("put with an ended context: %v", err)
	}
	want(t, s, "a", []byte("one"))
}

func expires(t *testing.T, s cache.Store) {
	put(t, s, "a", []byte("one"))
	want(t, s, "a", []byte("one"))
	for end := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		if _, err := s.Get(t.Context(), "a"); errors.Is(err, cache.ErrMiss) {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("still there %s after its expiry", patience)
		}
	}
}
