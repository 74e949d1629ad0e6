package kafka

import (
	"context"
	"fmt"
	"strconv"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Headers of a dead letter, beside those that it had.
const (
	HeaderReason    = "k8guard-reason"
	HeaderTopic     = "k8guard-topic"
	HeaderPartition = "k8guard-partition"
	HeaderOffset    = "k8guard-offset"
)

// maxReason bounds a reason, which quotes what a stranger wrote.
const maxReason = 1024

// bury counts what it put among the dead letters.
func (c *Consumer) bury(ctx context.Context, r *kgo.Record, reason error) error {
	err := c.s.bury(ctx, c.client, r, reason)
	if err == nil {
		c.buried.Add(1)
	}
	return err
}

// bury puts a record that nobody can read among the dead letters, whole, with the reason
// and the place where it was. The record is committed only after that.
func (s Settings) bury(ctx context.Context, client *kgo.Client, r *kgo.Record, reason error) error {
	text := reason.Error()
	text = text[:min(len(text), maxReason)]
	letter := &kgo.Record{Topic: s.topics().deadLetters, Key: r.Key, Value: r.Value, Headers: []kgo.RecordHeader{
		{Key: HeaderReason, Value: []byte(text)}, {Key: HeaderTopic, Value: []byte(r.Topic)},
		{Key: HeaderPartition, Value: strconv.AppendInt(nil, int64(r.Partition), 10)},
		{Key: HeaderOffset, Value: strconv.AppendInt(nil, r.Offset, 10)},
	}}
	if err := client.ProduceSync(ctx, letter).FirstErr(); err != nil {
		s.Log.Warn("a dead letter cannot be put away, trying again", "partition", r.Partition, "offset", r.Offset, "error", err)
		return fmt.Errorf("put away a dead letter: %w", err)
	}
	s.Log.Error("a message that nobody can read is among the dead letters", "reason", text, "partition", r.Partition, "offset", r.Offset)
	return nil
}
