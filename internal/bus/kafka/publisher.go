package kafka

import (
	"context"
	"fmt"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sync/semaphore"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/bus"
	"github.com/k8guard/k8guard/internal/docket"
)

var _ bus.Publisher = (*Publisher)(nil)

// Publisher is discover's end.
type Publisher struct {
	s          Settings
	client     *kgo.Client
	partitions int32
	// room bounds what was taken and Kafka has not: messages, and bytes.
	room  *semaphore.Weighted
	bytes *semaphore.Weighted

	requests chan docket.Key
	stop     context.CancelFunc
	reader   sync.WaitGroup
}

// NewPublisher connects, makes or checks the topics, and begins to read requests: those
// that are made after it returned.
func NewPublisher(ctx context.Context, s Settings) (*Publisher, error) {
	s, err := s.complete()
	if err != nil {
		return nil, err
	}
	p := &Publisher{s: s, requests: make(chan docket.Key, maxRequests),
		room: semaphore.NewWeighted(int64(s.Buffer)), bytes: semaphore.NewWeighted(s.BufferBytes)}
	p.client, err = s.client(kgo.MaxBufferedRecords(s.Buffer + 1)) // room is what makes callers wait
	if err != nil {
		return nil, err
	}
	if p.partitions, err = s.ensure(ctx, p.client); err != nil {
		p.client.Close()
		return nil, err
	}
	if err := p.readRequests(ctx); err != nil {
		p.client.Close()
		return nil, err
	}
	return p, nil
}

// Publish implements bus.Publisher: it returns when the message is in our hands, not yet in
// Kafka's. Its error is that ctx ended first, or that no such message can be sent.
func (p *Publisher) Publish(ctx context.Context, m v1.Message) error {
	record, err := encode(m, p.s.topics().observations, p.partitions)
	if err != nil {
		return err
	}
	size := int64(len(record.Key) + len(record.Value))
	if err := p.room.Acquire(ctx, 1); err != nil {
		return fmt.Errorf("publish while Kafka takes nothing: %w", context.Cause(ctx))
	}
	if err := p.bytes.Acquire(ctx, size); err != nil {
		p.room.Release(1)
		return fmt.Errorf("publish while Kafka takes nothing: %w", context.Cause(ctx))
	}
	// Not the caller's context: it may end while the message waits its turn.
	p.client.Produce(context.WithoutCancel(ctx), record, func(r *kgo.Record, err error) {
		p.bytes.Release(size)
		p.room.Release(1)
		if err != nil {
			p.s.Log.Warn("a message is lost, the next resync says it again", "key", string(r.Key), "error", err)
		}
	})
	return nil
}

// Requests implements bus.Publisher.
func (p *Publisher) Requests() <-chan docket.Key { return p.requests }

// Buffered is how many messages wait for Kafka.
func (p *Publisher) Buffered() int { return int(p.client.BufferedProduceRecords()) }

// Close hands the rest to Kafka, as long as ctx lasts; what is left then is lost, and said
// again by the next resync.
func (p *Publisher) Close(ctx context.Context) error {
	err := p.client.Flush(ctx)
	p.stop()
	p.reader.Wait()
	p.client.Close()
	if err != nil {
		return fmt.Errorf("hand the last messages to Kafka: %w", err)
	}
	return nil
}
