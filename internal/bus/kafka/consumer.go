package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/bus"
	"github.com/k8guard/k8guard/internal/docket"
)

const (
	// commitEvery bounds how much a crash repeats.
	commitEvery = time.Second
	// finishWithin is how long a message in hand may take when its partition is taken away, or
	// the last commit when we stop.
	finishWithin = 10 * time.Second
	// restWithin is how long what else is under way for a partition may take then: an act or a
	// mail that has begun.
	restWithin = 45 * time.Second
	// session is how long a member that says nothing keeps its partitions, and heartbeat how
	// soon the others learn that they must share.
	session, heartbeat = 15 * time.Second, time.Second
	// maxPoll bounds the messages in hand of each round.
	maxPoll = 1024
)

// ErrConsumed says that another Consume runs on this consumer.
var ErrConsumed = errors.New("kafka bus: already consumed; stop the first Consume")

var _ bus.Consumer = (*Consumer)(nil)

// Consumer is action's end: one member of the group while Consume runs.
type Consumer struct {
	s Settings
	// client produces requests and dead letters.
	client     *kgo.Client
	partitions int32
	consumed   atomic.Bool
	crew       atomic.Pointer[crew] // of the Consume that runs
	buried     atomic.Int64
}

// NewConsumer connects, and makes or checks the topics.
func NewConsumer(ctx context.Context, s Settings) (*Consumer, error) {
	s, err := s.complete()
	if err != nil {
		return nil, err
	}
	c := &Consumer{s: s}
	if c.client, err = s.client(kgo.MaxBufferedRecords(maxRequests)); err != nil {
		return nil, err
	}
	if c.partitions, err = s.ensure(ctx, c.client); err != nil {
		c.client.Close()
		return nil, err
	}
	return c, nil
}

// Request implements bus.Consumer.
func (c *Consumer) Request(key docket.Key) {
	record, err := encodeRequest(key, c.s.topics().requests)
	if err != nil {
		return // a key is two strings
	}
	c.client.TryProduce(context.Background(), record, func(*kgo.Record, error) {}) // dropped when full
}

// Pass implements bus.Consumer. It never waits for Kafka: what finds no room, or is not taken
// in the end, is lost and logged.
func (c *Consumer) Pass(_ context.Context, m v1.Message) error {
	record, err := encode(m, c.s.topics().observations, c.partitions)
	if err != nil {
		return err
	}
	c.client.TryProduce(context.Background(), record, func(_ *kgo.Record, err error) {
		if err != nil {
			c.s.Log.Warn("a message was not passed on: whoever waits for it looks in some minutes", "key", string(record.Key), "error", err)
		}
	})
	return nil
}

// Close hands the last requests to Kafka, as long as ctx lasts. Consume must have ended.
func (c *Consumer) Close(ctx context.Context) error {
	err := c.client.Flush(ctx)
	c.client.Close()
	if err != nil {
		return fmt.Errorf("hand the last requests to Kafka: %w", err)
	}
	return nil
}

// Consume implements bus.Consumer: it is a member of the group until ctx ends. What fails on
// Kafka's side is logged and tried again. It returns ErrConsumed while another Consume runs.
func (c *Consumer) Consume(ctx context.Context, handle bus.Handler, share bus.Share) error {
	if !c.consumed.CompareAndSwap(false, true) {
		return ErrConsumed
	}
	defer c.consumed.Store(false)
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	crew := newCrew(ctx, stop, c, handle, share)
	c.crew.Store(crew)
	defer c.crew.Store(nil)
	client, err := c.s.client(
		kgo.ConsumerGroup(c.s.Group), kgo.ConsumeTopics(c.s.topics().observations),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), // a new group hears all that is kept
		kgo.Balancers(kgo.CooperativeStickyBalancer()), kgo.BlockRebalanceOnPoll(),
		kgo.SessionTimeout(session), kgo.HeartbeatInterval(heartbeat), kgo.RebalanceTimeout(2*restWithin),
		kgo.AutoCommitMarks(), kgo.AutoCommitInterval(commitEvery),
		kgo.OnPartitionsAssigned(crew.assigned), kgo.OnPartitionsRevoked(crew.revoked), kgo.OnPartitionsLost(crew.lost),
	)
	if err != nil {
		return err
	}
	for ctx.Err() == nil {
		fetches := client.PollRecords(ctx, maxPoll)
		if ctx.Err() == nil {
			crew.hand(client, fetches)
		}
		client.AllowRebalance()
		pauseOn(ctx, c.s.Log, fetches)
	}
	crew.end()
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), finishWithin)
	defer cancel()
	if err := client.CommitMarkedOffsets(last); err != nil {
		c.s.Log.Warn("the last commit failed: some messages come again", "error", err)
	}
	client.CloseAllowingRebalance()
	return crew.failed()
}

// pauseOn logs what a fetch failed of, and waits a little.
func pauseOn(ctx context.Context, log *slog.Logger, fetches kgo.Fetches) {
	problem := problemOf(fetches)
	if problem == nil || ctx.Err() != nil {
		return
	}
	log.Warn("Kafka gives no messages, asking again", "error", problem)
	select {
	case <-ctx.Done():
	case <-time.After(afterError):
	}
}
