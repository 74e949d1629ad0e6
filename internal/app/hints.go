package app

import (
	"context"

	"github.com/k8guard/k8guard/internal/bus"
	"github.com/k8guard/k8guard/internal/bus/kafka"
)

// first reads what a first K8Guard says on its topic; nil where none is configured.
func (in *instance) first() (*kafka.First, error) {
	topic := in.Config.Bus.Kafka.FirstTopic
	if topic == "" {
		return nil, nil //nolint:nilnil // nothing to read
	}
	settings, err := in.kafkaSettings(in.cluster.UID)
	if err != nil {
		return nil, err
	}
	return kafka.NewFirst(settings, topic)
}

// listen hands hints to discover until ctx ends. The one that leads listens alone: the others
// do not watch.
func (in *instance) listen(ctx context.Context, first *kafka.First) error {
	if first == nil {
		<-ctx.Done()
		return nil
	}
	in.Log.Info("a first K8Guard's violations are taken for hints to look again", "topic", in.Config.Bus.Kafka.FirstTopic)
	return first.Read(ctx, func(ctx context.Context, h bus.Hint) error {
		select {
		case in.hints <- h:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
}
