package kafka

import (
	"context"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/k8guard/k8guard/internal/bus"
)

// crew is the workers of one Consume, one for each partition that has had a message. A
// partition is fetched only while its worker has nothing in hand: so one that cannot go on
// holds up no other, and memory is bounded.
type crew struct {
	ctx    context.Context //nolint:containedctx // of the one Consume that the crew lives for
	c      *Consumer
	handle bus.Handler

	mu      sync.Mutex
	workers map[int32]*worker
}

func newCrew(ctx context.Context, c *Consumer, handle bus.Handler) *crew {
	return &crew{ctx: ctx, c: c, handle: handle, workers: map[int32]*worker{}}
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
		w.worker(client, p.Partition).batches <- batch{p.Records, func() { client.ResumeFetchPartitions(one) }}
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
	if err := client.CommitMarkedOffsets(ctx); err != nil {
		w.c.s.Log.Warn("the commit at a rebalance failed: some messages come again", "error", err)
	}
}

// lost ends the workers of partitions that another member may already have.
func (w *crew) lost(_ context.Context, client *kgo.Client, gone map[string][]int32) {
	w.dismiss(client, gone, 0)
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
}
