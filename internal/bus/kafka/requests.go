package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// readRequests follows the requests from where they end now.
func (p *Publisher) readRequests(ctx context.Context) error {
	topic := p.s.topics().requests
	ends, err := kadm.NewClient(p.client).ListEndOffsets(ctx, topic)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return fmt.Errorf("find the end of the requests: %w", err)
	}
	from := map[int32]kgo.Offset{}
	ends.Each(func(o kadm.ListedOffset) { from[o.Partition] = kgo.NewOffset().At(o.Offset) })
	client, err := p.s.client(kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: from}))
	if err != nil {
		return err
	}
	reading, stop := context.WithCancel(context.WithoutCancel(ctx))
	p.stop = stop
	p.reader.Go(func() {
		defer client.Close()
		p.follow(reading, client)
	})
	return nil
}

// follow passes requests on; one that finds no room is dropped.
func (p *Publisher) follow(ctx context.Context, client *kgo.Client) {
	for ctx.Err() == nil {
		fetches := client.PollRecords(ctx, maxRequests)
		fetches.EachRecord(func(r *kgo.Record) {
			key, ok := decodeRequest(r)
			if !ok || (p.s.Cluster != "" && key.Cluster != p.s.Cluster) {
				return
			}
			select {
			case p.requests <- key:
			default:
			}
		})
		pauseOn(ctx, p.s.Log, fetches)
	}
}

// afterError is the pause after a fetch that failed, so that no loop spins.
const afterError = time.Second

func problemOf(fetches kgo.Fetches) error {
	var problem error
	for _, e := range fetches.Errors() {
		if !errors.Is(e.Err, context.Canceled) {
			problem = errors.Join(problem, fmt.Errorf("topic %s, partition %d: %w", e.Topic, e.Partition, e.Err))
		}
	}
	return problem
}
