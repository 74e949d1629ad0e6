package kafka

import (
	"context"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/k8guard/k8guard/internal/bus"
)

// Pauses between two tries of one message.
const (
	firstPause = 100 * time.Millisecond
	maxPause   = 5 * time.Second
)

// batch is records of one partition, the offset after the last one there, and what to do
// when all are done with.
type batch struct {
	records []*kgo.Record
	end     int64
	resume  func()
}

// worker handles one partition's messages one after the other.
type worker struct {
	c       *Consumer
	client  *kgo.Client
	handle  bus.Handler
	batches chan batch
	leave   chan struct{} // closed: not another try
	cancel  context.CancelFunc
	done    chan struct{}

	mu    sync.Mutex // guards those below
	left  int64      // messages that are not done with
	since time.Time  // of the one in hand
}

// begin notes the message in hand, or that there is none.
func (w *worker) begin(left int64, since time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.left, w.since = left, since
}

func (w *worker) lag() (left int64, since time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.left, w.since
}

// end lets the try in hand go on for a while, then ends its context, and waits for it.
func (w *worker) end(within time.Duration) {
	close(w.leave)
	defer w.cancel()
	select {
	case <-w.done:
		return
	case <-time.After(within):
		w.cancel()
	}
	<-w.done
}

func (w *worker) work(ctx context.Context) {
	defer close(w.done)
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.leave:
			return
		case b := <-w.batches:
			for _, r := range b.records {
				w.begin(b.end-r.Offset, r.Timestamp)
				if !w.settle(ctx, r) {
					return
				}
				w.client.MarkCommitRecords(r)
				w.begin(b.end-r.Offset-1, time.Time{})
			}
			b.resume()
		}
	}
}

// settle handles a record until it succeeds, or puts it among the dead letters; false when
// the worker was ended before that.
func (w *worker) settle(ctx context.Context, r *kgo.Record) bool {
	m, reason := decode(r, w.c.partitions)
	try := func() error { return w.handle(ctx, m) }
	if reason != nil {
		try = func() error { return w.c.bury(ctx, r, reason) }
	}
	for pause := firstPause; ; pause = min(2*pause, maxPause) {
		select {
		case <-w.leave:
			return false
		default:
		}
		if ctx.Err() != nil {
			return false
		}
		if try() == nil {
			return true
		}
		select {
		case <-time.After(pause):
		case <-w.leave:
		case <-ctx.Done():
		}
	}
}
