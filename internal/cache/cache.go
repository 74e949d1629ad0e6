// Package cache says how K8Guard keeps what is dear to get and may be lost at any time.
//
// Purpose: an answer that was worked for once serves again, in this process or, with a
// server, in its neighbours and after a restart.
//
// Concurrency: every method may be called from many goroutines.
//
// Guarantees: a cache that is down, slow, full or empty costs time and nothing else: each
// failure is a miss. A value is bounded by [MaxValue] and returned as it was put, or not at
// all. Of those who want the same missing value, one works for it.
//
// It will not: be the only place of anything, say whether a value is true (a server may be
// written by others: whoever reads from one checks what they got), or choose a back end.
package cache

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/singleflight"
)

// MaxValue is the largest value that is kept, in bytes: less than Memcached's own limit.
const MaxValue = 512 << 10

var (
	// ErrMiss says that nothing is kept under the key.
	ErrMiss = errors.New("cache: not there")
	// ErrTooLarge says that a value is larger than MaxValue; it is not kept.
	ErrTooLarge = errors.New("cache: the value is too large to keep")
)

// Store is a back end. A key is any text of any length.
type Store interface {
	// Get returns a copy of the value, or ErrMiss. Any other error says that the back end
	// could not be asked.
	Get(ctx context.Context, key string) ([]byte, error)
	// Put keeps a copy for the back end's expiry at most, and replaces what was there; one that
	// is too large is ErrTooLarge, and leaves what was there.
	Put(ctx context.Context, key string, value []byte) error
	// Close ends all that runs; nobody asks after it.
	Close() error
}

// Cache is a store for one use, which counts. It implements prometheus.Collector; several
// uses may be in one registry.
type Cache struct {
	store                Store
	group                singleflight.Group
	made                 atomic.Int64 // values that were made
	hits, misses, errors prometheus.Counter
}

// New makes a cache; use names it in the metrics, and keeps its keys apart from those of others.
func New(store Store, use string) *Cache {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: "k8guard_cache_" + name + "_total", Help: help, ConstLabels: prometheus.Labels{"use": use}})
	}
	return &Cache{
		store: prefixed{store, use + "/"}, hits: counter("hits", "Values that a cache had."),
		misses: counter("misses", "Values that a cache did not have, or could not be asked for."),
		errors: counter("errors", "Questions and values that a cache did not take: it is down, slow, or the value is too large."),
	}
}

// Get returns the value, if it can be had.
func (c *Cache) Get(ctx context.Context, key string) ([]byte, bool) {
	value, err := c.store.Get(ctx, key)
	switch {
	case err == nil:
		c.hits.Inc()
		return value, true
	case !errors.Is(err, ErrMiss):
		c.errors.Inc()
	}
	c.misses.Inc()
	return nil, false
}

// Put keeps the value, as well as it can.
func (c *Cache) Put(ctx context.Context, key string, value []byte) bool {
	if err := c.store.Put(ctx, key, value); err != nil {
		c.errors.Inc()
		return false
	}
	return true
}

// Load returns the value, or what make returns, which is kept; an error is not. Who asks for
// what somebody else is making waits for that, until its own ctx ends; make goes on for the
// others, and has to bound itself.
func (c *Cache) Load(ctx context.Context, key string, make func(context.Context) ([]byte, error)) ([]byte, error) {
	before := c.made.Load()
	if value, ok := c.Get(ctx, key); ok {
		return value, nil
	}
	answer := c.group.DoChan(key, func() (any, error) {
		apart := context.WithoutCancel(ctx)
		if c.made.Load() != before { // perhaps this one, since we looked
			if value, err := c.store.Get(apart, key); err == nil {
				return value, nil
			}
		}
		value, err := make(apart)
		if err == nil {
			c.Put(apart, key, value)
			c.made.Add(1)
		}
		return value, err
	})
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case a := <-answer:
		value, _ := a.Val.([]byte)
		return value, a.Err
	}
}

// Describe implements prometheus.Collector.
func (c *Cache) Describe(to chan<- *prometheus.Desc) { prometheus.DescribeByCollect(c, to) }

// Collect implements prometheus.Collector.
func (c *Cache) Collect(to chan<- prometheus.Metric) { to <- c.hits; to <- c.misses; to <- c.errors }

// prefixed is a store with keys of its own among those of others.
type prefixed struct {
	Store
	prefix string
}

func (p prefixed) Get(ctx context.Context, key string) ([]byte, error) {
	return p.Store.Get(ctx, p.prefix+key)
}

func (p prefixed) Put(ctx context.Context, key string, value []byte) error {
	if len(value) > MaxValue {
		return ErrTooLarge
	}
	return p.Store.Put(ctx, p.prefix+key, value)
}
