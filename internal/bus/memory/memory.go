// Package memory is the bus of one process: bounded queues.
//
// Purpose: discover and action in one process meet here, under the rules of package bus.
//
// Concurrency: each partition has one worker, and a bucket always falls into the same
// partition. All methods may be called from many goroutines; one Consume runs at a time.
//
// Guarantees: order within a partition; a message whose handler erred comes again before
// any later one of its partition, also when Consume was stopped and started in between.
// Memory is bounded by the capacity.
//
// It will not: keep anything when the process ends, or give up on a message.
package memory

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/bus"
	"github.com/k8guard/k8guard/internal/docket"
)

const (
	firstPause = 100 * time.Millisecond
	maxPause   = 5 * time.Second
	// maxRequests bounds the requests that nobody has read; an inventory raises more again.
	maxRequests = 1024
)

// ErrConsumed says that another Consume runs on this bus.
var ErrConsumed = errors.New("memory bus: already consumed; stop the first consumer")

var (
	_ bus.Publisher = (*Bus)(nil)
	_ bus.Consumer  = (*Bus)(nil)
)

// Bus is a set of queues in memory.
type Bus struct {
	partitions []*partition
	requests   chan docket.Key
	consumed   atomic.Bool
}

type partition struct {
	queue chan v1.Message
	// held is the message that its worker has taken and not finished; only the worker of
	// the running Consume touches it.
	held *v1.Message
}

// New makes a bus with this many partitions (workers, at least 1) that holds about
// capacity messages in all, at least one for each partition.
func New(capacity int, partitions int) *Bus {
	partitions = max(partitions, 1)
	each := max(capacity/partitions, 1)
	b := &Bus{requests: make(chan docket.Key, maxRequests)}
	for range partitions {
		b.partitions = append(b.partitions, &partition{queue: make(chan v1.Message, each)})
	}
	return b
}

// Publish implements bus.Publisher. It returns an error only when ctx ended first.
func (b *Bus) Publish(ctx context.Context, m v1.Message) error {
	n := uint(bus.Bucket(m)) % uint(len(b.partitions))
	select {
	case b.partitions[n].queue <- m:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("publish on a full bus: %w", context.Cause(ctx))
	}
}

// Pass implements bus.Consumer.
func (b *Bus) Pass(ctx context.Context, m v1.Message) error { return b.Publish(ctx, m) }

// Requests implements bus.Publisher.
func (b *Bus) Requests() <-chan docket.Key { return b.requests }

// Request implements bus.Consumer.
func (b *Bus) Request(key docket.Key) {
	select {
	case b.requests <- key:
	default:
	}
}

// Len is how many messages wait; those in a handler's hands are not counted.
func (b *Bus) Len() int {
	n := 0
	for _, p := range b.partitions {
		n += len(p.queue)
	}
	return n
}

// Measure registers k8guard_bus_queue_messages.
func (b *Bus) Measure(registry prometheus.Registerer) error {
	return registry.Register(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "k8guard_bus_queue_messages",
		Help: "Messages that wait in this process between discover and action."}, func() float64 { return float64(b.Len()) }))
}

// Consume implements bus.Consumer; all buckets are its own. It returns when every handler has;
// a handler in progress sees ctx end. It returns ErrConsumed while another Consume runs.
func (b *Bus) Consume(ctx context.Context, handle bus.Handler, share bus.Share) error {
	if !b.consumed.CompareAndSwap(false, true) {
		return ErrConsumed
	}
	defer b.consumed.Store(false)
	if err := share.Gained(ctx, docket.AllBuckets()); err != nil {
		return err
	}
	defer share.Lost(context.WithoutCancel(ctx), docket.AllBuckets())
	var workers sync.WaitGroup
	for _, p := range b.partitions {
		workers.Go(func() { p.work(ctx, handle) })
	}
	workers.Wait()
	return nil
}

func (p *partition) work(ctx context.Context, handle bus.Handler) {
	for ctx.Err() == nil {
		if p.held == nil {
			select {
			case m := <-p.queue:
				p.held = &m
			case <-ctx.Done():
			}
			continue
		}
		if p.settle(ctx, handle) {
			p.held = nil
		}
	}
}

// settle handles the held message until it succeeds; false when ctx ended before that.
func (p *partition) settle(ctx context.Context, handle bus.Handler) bool {
	for pause := firstPause; ctx.Err() == nil; pause = min(2*pause, maxPause) {
		if handle(ctx, *p.held) == nil {
			return true
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
	return false
}
