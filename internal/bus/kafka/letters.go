package kafka

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Letter is a message that nobody could read, in its place among the dead letters.
type Letter struct {
	Partition int32     `json:"partition"`
	Offset    int64     `json:"offset"`
	At        time.Time `json:"at"`
	Reason    string    `json:"reason"`
	From      string    `json:"from"` // topic/partition/offset where it was
	Key       string    `json:"key"`  // a stranger's text
	Bytes     int       `json:"bytes"`
	value     []byte
}

// ID is how people name a letter: partition/offset.
func (l Letter) ID() string { return fmt.Sprintf("%d/%d", l.Partition, l.Offset) }

// Letters lists the dead letters, oldest first within a partition, at most limit. They stay
// where they are until the topic's retention.
func (c *Consumer) Letters(ctx context.Context, limit int) (all []Letter, err error) {
	topic := c.s.topics().deadLetters
	ends, err := kadm.NewClient(c.client).ListEndOffsets(ctx, topic)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("find the end of the dead letters: %w", err)
	}
	left := map[int32]int64{} // the offset at which a partition is read to its end
	from := map[int32]kgo.Offset{}
	ends.Each(func(o kadm.ListedOffset) {
		if o.Offset > 0 {
			left[o.Partition], from[o.Partition] = o.Offset, kgo.NewOffset().AtStart()
		}
	})
	if len(from) == 0 {
		return nil, nil
	}
	reader, err := c.s.client(kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: from}))
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	starts, err := kadm.NewClient(reader).ListStartOffsets(ctx, topic)
	if err != nil {
		return nil, fmt.Errorf("find the start of the dead letters: %w", err)
	}
	starts.Each(func(o kadm.ListedOffset) {
		if left[o.Partition] <= o.Offset {
			delete(left, o.Partition) // all of it is past its retention
		}
	})
	for len(left) > 0 && len(all) < limit && ctx.Err() == nil {
		fetches := reader.PollRecords(ctx, limit-len(all))
		if err := problemOf(fetches); err != nil {
			return all, fmt.Errorf("read the dead letters: %w", err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			all = append(all, letterOf(r))
			if r.Offset+1 >= left[r.Partition] {
				delete(left, r.Partition)
			}
		})
	}
	return all, ctx.Err()
}

func letterOf(r *kgo.Record) Letter {
	l := Letter{Partition: r.Partition, Offset: r.Offset, At: r.Timestamp.UTC(), Key: string(r.Key), Bytes: len(r.Value), value: r.Value}
	var place [3]string
	for _, h := range r.Headers {
		switch h.Key {
		case HeaderReason:
			l.Reason = string(h.Value)
		case HeaderTopic:
			place[0] = string(h.Value)
		case HeaderPartition:
			place[1] = string(h.Value)
		case HeaderOffset:
			place[2] = string(h.Value)
		}
	}
	l.From = place[0] + "/" + place[1] + "/" + place[2]
	return l
}

// Replay says a letter again, in its bucket's place, if this version can read it. To replay
// one twice does no harm: what is older than what was said since is dropped.
func (c *Consumer) Replay(ctx context.Context, l Letter) error {
	m, err := parse(l.value)
	if err != nil {
		return fmt.Errorf("letter %s still cannot be read: %w", l.ID(), err)
	}
	record, err := encode(m, c.s.topics().observations, c.partitions)
	if err == nil {
		err = c.client.ProduceSync(ctx, record).FirstErr()
	}
	if err != nil {
		return fmt.Errorf("letter %s: %w", l.ID(), err)
	}
	return nil
}

// ParseID reads partition/offset.
func ParseID(id string) (partition int32, offset int64, err error) {
	var p int
	if _, err := fmt.Sscanf(id, "%d/%d", &p, &offset); err != nil || strconv.Itoa(p)+"/"+strconv.FormatInt(offset, 10) != id || p < 0 || p > 1<<16 {
		return 0, 0, fmt.Errorf("%q names no dead letter; write PARTITION/OFFSET, as k8guard deadletter list shows it", id)
	}
	return int32(p), offset, nil
}
