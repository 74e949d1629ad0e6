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

// bury puts a record that nobody can read among the dead letters, whole, with the reason
// and the place where it was. The record is committed only after that.
func (c *Consumer) bury(ctx context.Context, r *kgo.Record, reason error) error {
	text := reason.Error()
	text = text[:min(len(text), maxReason)]
	letter := &kgo.Record{Topic: c.s.topics().deadLetters, Key: r.Key, Value: r.Value, Headers: []kgo.RecordHeader{
		{Key: HeaderReason, Value: []byte(text)}, {Key: HeaderTopic, Value: []byte(r.Topic)},
		{Key: HeaderPartition, Value: strconv.AppendInt(nil, int64(r.Partition), 10)},
		{Key: HeaderOffset, Value: strconv.AppendInt(nil, r.Offset, 10)},
	}}
	if err := c.client.ProduceSync(ctx, letter).FirstErr(); err != nil {
		c.s.Log.Warn("a dead letter cannot be put away, trying again", "partition", r.Partition, "offset", r.Offset, "error", err)
		return fmt.Errorf("put away a dead letter: %w", err)
	}
	c.buried.Add(1)
	c.s.Log.Error("a message that nobody can read is among the dead letters", "reason", text, "partition", r.Partition, "offset", r.Offset)
	return nil
}
