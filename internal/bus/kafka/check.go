package kafka

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/k8guard/k8guard/internal/docket"
)

// check waits until each topic is known everywhere, and compares it with what it must be.
func (s Settings) check(ctx context.Context, admin *kadm.Client, names []string) (int32, error) {
	found, err := s.settled(ctx, admin, names)
	if err != nil {
		return 0, err
	}
	partitions := int32(len(found[s.topics().observations].Partitions)) //nolint:gosec // Kafka counts them so itself
	if partitions > docket.Buckets || (s.Partitions != 0 && s.Partitions != partitions) {
		return 0, fmt.Errorf("kafka: topic %s has %d partitions and %d are set (0: what it has, at most %d): change one of them",
			s.topics().observations, partitions, s.Partitions, docket.Buckets)
	}
	configs, err := admin.DescribeTopicConfigs(ctx, names...)
	if isDenied(err) { // the right to read settings is not needed to work
		s.Log.Warn("the topics' settings cannot be checked", "error", err)
		return partitions, nil
	}
	if err != nil {
		return 0, fmt.Errorf("ask Kafka for its topics' settings: %w", err)
	}
	for _, w := range s.wanted() {
		config, err := configs.On(w.name, nil)
		if err == nil {
			err = config.Err
		}
		if err != nil {
			return 0, fmt.Errorf("ask for the settings of topic %s: %w", w.name, err)
		}
		if err := w.fits(config); err != nil {
			return 0, err
		}
	}
	return partitions, nil
}

// settling is how long brokers may take to know of a topic that was just made.
const settling = 30 * time.Second

// settled asks until no topic that was just made is unknown to the broker that answers.
func (s Settings) settled(ctx context.Context, admin *kadm.Client, names []string) (kadm.TopicDetails, error) {
	for end := time.Now().Add(settling); ; {
		found, err := admin.ListTopics(ctx, names...)
		if err == nil {
			err = found.Error()
		}
		if err == nil {
			return found, nil
		}
		if isDenied(err) || time.Now().After(end) {
			return nil, s.denied("look at the topics", err, s.wanted()...)
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for the topics: %w (last: %w)", context.Cause(ctx), err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// fits refuses a topic that would lose messages, or keep for good what is over.
func (w want) fits(config kadm.ResourceConfig) error {
	for _, c := range config.Configs {
		switch value := c.MaybeValue(); c.Key {
		case "cleanup.policy":
			policies := strings.Split(value, ",")
			slices.Sort(policies)
			if strings.Join(policies, ",") != w.policy {
				return fmt.Errorf("kafka: topic %s has cleanup.policy=%s, set %s", w.name, value, w.policy)
			}
		case "max.message.bytes":
			if n, err := strconv.Atoi(value); err != nil || n < w.message {
				return fmt.Errorf("kafka: topic %s has max.message.bytes=%s, set at least %d", w.name, value, w.message)
			}
		}
	}
	return nil
}
