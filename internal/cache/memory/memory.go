// Package memory keeps values in this process.
//
// Purpose: the cache of who has no server, and of what no server should hold.
//
// Concurrency: every method may be called from many goroutines.
//
// Guarantees: all values with their keys take about the given number of bytes at most; what
// is used least goes first. With an expiry one goroutine, until Close.
//
// It will not: survive the process, or share with another one.
package memory

import (
	"bytes"
	"context"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/k8guard/k8guard/internal/cache"
)

// overhead is about what an entry takes beside its key and value.
const overhead = 128

// Store is the cache. It implements cache.Store.
type Store struct{ kept *otter.Cache[string, []byte] }

// New makes a store that holds about size bytes, each value for expiry; zero is as long as
// there is room.
func New(size uint64, expiry time.Duration) (*Store, error) {
	options := &otter.Options[string, []byte]{
		MaximumWeight: size,
		Weigher:       func(key string, value []byte) uint32 { return uint32(len(key) + len(value) + overhead) }, //nolint:gosec // a value has MaxValue at most
	}
	if expiry > 0 {
		options.ExpiryCalculator = otter.ExpiryWriting[string, []byte](expiry)
	}
	kept, err := otter.New(options)
	if err != nil {
		return nil, err
	}
	return &Store{kept}, nil
}

// Get implements cache.Store.
func (s *Store) Get(ctx context.Context, key string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	value, ok := s.kept.GetIfPresent(key)
	if !ok {
		return nil, cache.ErrMiss
	}
	return bytes.Clone(value), nil
}

// Put implements cache.Store.
func (s *Store) Put(ctx context.Context, key string, value []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if len(value) > cache.MaxValue {
		return cache.ErrTooLarge
	}
	s.kept.Set(key, append([]byte{}, value...))
	return nil
}

// Close implements cache.Store.
func (s *Store) Close() error {
	s.kept.StopAllGoroutines()
	return nil
}

var _ cache.Store = (*Store)(nil)
