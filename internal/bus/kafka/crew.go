package kafka

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/k8guard/k8guard/internal/bus"
	"github.com/k8guard/k8guard/internal/docket"
)

// crew is the workers of one Consume, one for each partition that has had a message. A
// partition is fetched only while its worker has nothing in hand: so one that cannot go on
// holds up no other, and memory is bounded.
type crew struct {
	ctx    context.Context //nolint:containedctx // of the one Consume that the crew lives for
	stop   context.CancelCauseFunc
	c      *Consumer
	handle bus.Handler
	share  bus.Share

	mu      sync.Mutex
	workers map[int32]*worker
	held    map[int32]bool // partitions whose buckets our share has
	err     error          // of the share
}

func newCrew(ctx context.Context, stop context.CancelCauseFunc, c *Consumer, handle bus.Handler, share bus.Share) *crew {
	return &crew{ctx: ctx, stop: stop, c: c, handle: handle, share: share, workers: map[int32]*worker{}, held: map[int32]bool{}}
}

// assigned tells the share of its new buckets; their messages come after.
func (w *crew) assigned(_ context.Context, _ *kgo.Client, got map[string][]int32) {
	if w.ctx.Err() != nil {
		return
	}
	fresh := w.hold(got)
	if len(fresh) == 0 {
		return
	}
	if err := w.share.Gained(w.ctx, w.c.buckets(fresh)); err != nil {
		w.mu.Lock()
		w.err = err
		w.mu.Unlock()
		w.stop(err)
	}
}

// hold notes partitions as ours, and returns those that were not.
func (w *crew) hold(got map[string][]int32) (fresh []int32) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, partitions := range got {
		for _, p := range partitions {
			if !w.held[p] {
				w.held[p] = true
				fresh = append(fresh, p)
			}
		}
	}
	return fresh
}

// letGo tells the share that buckets are no longer its own, and gives what is under way time.
func (w *crew) letGo(ctx context.Context, gone map[string][]int32, within time.Duration) {
	var left []int32
	w.mu.Lock()
	for _, partitions := range gone {
		for _, p := range partitions {
			if w.held[p] {
				delete(w.held, p)
				left = append(left, p)
			}
		}
	}
	w.mu.Unlock()
	if len(left) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), within)
	defer cancel()
	w.share.Lost(ctx, w.c.buckets(left))
}

// lag sums over our partitions what is not done with yet, as far as the last fetch of each
// tells, and says since when the oldest of it lies there; zero where nothing does.
func (w *crew) lag() (messages int64, oldest time.Time, partitions int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, one := range w.workers {
		left, since := one.lag()
		messages += left
		if !since.IsZero() && (oldest.IsZero() || since.Before(oldest)) {
			oldest = since
		}
	}
	return messages, oldest, len(w.held)
}

// failed is why the share ended the consumer, or nil.
func (w *crew) failed() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// buckets are those that lie in partitions.
func (c *Consumer) buckets(partitions []int32) (all []int) {
	for b := range docket.Buckets {
		if slices.Contains(partitions, int32(b)%c.partitions) {
			all = append(all, b)
		}
	}
	return all
}

// hand gives each partition's records to its worker. The fetch of a partition is paused
// from before its worker has them until it has done with them.
func (w *crew) hand(client *kgo.Client, fetches kgo.Fetches) {
	fetches.EachPartition(func(p kgo.FetchTopicPartition) {
		if len(p.Records) == 0 {
			return
		}
		one := map[string][]int32{p.Topic: {p.Partition}}
		client.PauseFetchPartitions(one)
		w.worker(client, p.Partition).batches <- batch{p.Records, p.HighWatermark, func() { client.ResumeFetchPartitions(one) }}
	})
}

func (w *crew) worker(client *kgo.Client, partition int32) *worker {
	w.mu.Lock()
	defer w.mu.Unlock()
	if found := w.workers[partition]; found != nil {
		return found
	}
	ctx, cancel := context.WithCancel(w.ctx)
	made := &worker{c: w.c, client: client, handle: w.handle, batches: make(chan batch, 1),
		leave: make(chan struct{}), cancel: cancel, done: make(chan struct{})}
	w.workers[partition] = made
	go made.work(ctx)
	return made
}

// revoked lets the workers of partitions that another member gets finish the message in
// hand, and commits what they did.
func (w *crew) revoked(ctx context.Context, client *kgo.Client, gone map[string][]int32) {
	w.dismiss(client, gone, finishWithin)
	w.letGo(ctx, gone, restWithin)
	if err := client.CommitMarkedOffsets(ctx); err != nil {
		w.c.s.Log.Warn("the commit at a rebalance failed: some messages come again", "error", err)
	}
}

// lost ends the workers of partitions that another member may already have.
func (w *crew) lost(ctx context.Context, client *kgo.Client, gone map[string][]int32) {
	w.dismiss(client, gone, 0)
	w.letGo(ctx, gone, restWithin)
}

func (w *crew) dismiss(client *kgo.Client, gone map[string][]int32, within time.Duration) {
	var leaving []*worker
	w.mu.Lock()
	for _, partitions := range gone {
		for _, p := range partitions {
			if found := w.workers[p]; found != nil {
				leaving = append(leaving, found)
				delete(w.workers, p)
			}
		}
	}
	w.mu.Unlock()
	var all sync.WaitGroup
	for _, one := range leaving {
		all.Go(func() { one.end(within) })
	}
	all.Wait()
	client.ResumeFetchPartitions(gone) // for when we get them again
}

// end waits for all workers; the context of their handlers has ended.
func (w *crew) end() {
	w.mu.Lock()
	workers := w.workers
	w.workers = map[int32]*worker{}
	w.mu.Unlock()
	for _, one := range workers {
		one.end(0)
	}
	w.mu.Lock()
	held := slices.Collect(maps.Keys(w.held))
	w.mu.Unlock()
	w.letGo(w.ctx, map[string][]int32{"": held}, restWithin)
}
