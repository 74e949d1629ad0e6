package ledger

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/telemetry"
)

// Store is what those write who act.
type Store interface {
	Dockets
	Records
	// Case returns the docket that holds the case, or ErrNotFound.
	Case(ctx context.Context, id string) (docket.Docket, error)
}

// Timed is a store whose calls are timed: k8guard_ledger_duration_seconds.
type Timed struct {
	next    Store
	seconds *prometheus.HistogramVec
}

var _ Store = (*Timed)(nil)

// NewTimed times a store, and registers what it counts.
func NewTimed(next Store, registry prometheus.Registerer) (*Timed, error) {
	t := &Timed{next: next, seconds: prometheus.NewHistogramVec(telemetry.Seconds("k8guard_ledger_duration_seconds",
		"Time that the ledger took, by operation (load, store, list, get, put, find) and result (ok, conflict, error).",
		prometheus.ExponentialBuckets(0.0005, 3, 10)), []string{"operation", "result"})} // to 10 s
	return t, registry.Register(t.seconds)
}

// time is deferred with the start and the error of a call.
func (t *Timed) time(operation string, from time.Time, err *error) {
	result := "ok"
	switch {
	case errors.Is(*err, ErrConflict):
		result = "conflict"
	case *err != nil && !errors.Is(*err, ErrNotFound):
		result = "error"
	}
	t.seconds.WithLabelValues(operation, result).Observe(time.Since(from).Seconds())
}

// Load implements Dockets.
func (t *Timed) Load(ctx context.Context, key docket.Key) (d docket.Docket, err error) {
	defer t.time("load", time.Now(), &err)
	return t.next.Load(ctx, key)
}

// CompareAndSet implements Dockets.
func (t *Timed) CompareAndSet(ctx context.Context, next docket.Docket, entries []docket.Entry) (v int64, err error) {
	defer t.time("store", time.Now(), &err)
	return t.next.CompareAndSet(ctx, next, entries)
}

// OpenInBucket implements Dockets.
func (t *Timed) OpenInBucket(ctx context.Context, bucket int) (keys []docket.Key, err error) {
	defer t.time("list", time.Now(), &err)
	return t.next.OpenInBucket(ctx, bucket)
}

// Get implements Records.
func (t *Timed) Get(ctx context.Context, key string) (r Record, err error) {
	defer t.time("get", time.Now(), &err)
	return t.next.Get(ctx, key)
}

// Put implements Records.
func (t *Timed) Put(ctx context.Context, r Record) (v int64, err error) {
	defer t.time("put", time.Now(), &err)
	return t.next.Put(ctx, r)
}

// Case implements Store.
func (t *Timed) Case(ctx context.Context, id string) (d docket.Docket, err error) {
	defer t.time("find", time.Now(), &err)
	return t.next.Case(ctx, id)
}
