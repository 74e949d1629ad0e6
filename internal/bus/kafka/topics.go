package kafka

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	// envelope is room for a dead letter's headers beside its message.
	envelope = 64 << 10
	// keepRequests is short: a request that nobody read is raised again by an inventory.
	keepRequests    = time.Hour
	keepDeadLetters = 30 * 24 * time.Hour
	// rollEvery lets compaction at what is older.
	rollEvery = 6 * time.Hour
	// safeCopies is from where one copy may be missing and writes go on.
	safeCopies = 3
)

// want is what a topic must be like.
type want struct {
	name       string
	partitions int32 // 0: any number
	policy     string
	retention  time.Duration
	message    int
}

func (s Settings) wanted() []want {
	t := s.topics()
	return []want{
		{t.observations, s.Partitions, "compact,delete", s.Retention, maxMessage + envelope},
		{t.requests, 1, "delete", keepRequests, 1 << 20},
		{t.deadLetters, 1, "delete", max(keepDeadLetters, s.Retention), maxMessage + 2*envelope},
	}
}

func (w want) configs(copies int16) map[string]*string {
	configs := map[string]*string{
		"cleanup.policy": &w.policy, "retention.ms": milliseconds(w.retention),
		"max.message.bytes": kadm.StringPtr(strconv.Itoa(w.message)), "segment.ms": milliseconds(min(rollEvery, w.retention)),
	}
	if copies >= safeCopies {
		configs["min.insync.replicas"] = kadm.StringPtr(strconv.Itoa(int(copies) - 1))
	}
	return configs
}

func milliseconds(d time.Duration) *string {
	return kadm.StringPtr(strconv.FormatInt(d.Milliseconds(), 10))
}

// ensure creates the topics that are missing, unless that is switched off, and checks those
// that are there. It returns the number of partitions of the observations.
func (s Settings) ensure(ctx context.Context, client *kgo.Client) (int32, error) {
	admin := kadm.NewClient(client)
	var names []string
	for _, w := range s.wanted() {
		names = append(names, w.name)
	}
	found, err := admin.ListTopics(ctx, names...)
	if err != nil {
		return 0, s.denied("ask Kafka for its topics", err, s.wanted()...)
	}
	for _, w := range s.wanted() {
		problem := found[w.name].Err
		if problem == nil {
			continue
		}
		if !errors.Is(problem, kerr.UnknownTopicOrPartition) {
			return 0, fmt.Errorf("look at topic %s: %w", w.name, problem)
		}
		if err := s.create(ctx, admin, w); err != nil {
			return 0, err
		}
	}
	return s.check(ctx, admin, names)
}

// create makes a topic; another replica may have just done so.
func (s Settings) create(ctx context.Context, admin *kadm.Client, w want) error {
	if s.CheckOnly {
		return fmt.Errorf("kafka: topic %s does not exist, make it: %s", w.name, s.command(w))
	}
	copies := either(s.Replicas, -1) // the cluster's default
	made, err := admin.CreateTopic(ctx, either(w.partitions, defaultPartitions), copies, w.configs(s.Replicas), w.name)
	if err == nil {
		err = made.Err
	}
	if err == nil || errors.Is(err, kerr.TopicAlreadyExists) {
		return nil
	}
	if errors.Is(err, kerr.InvalidReplicationFactor) {
		return fmt.Errorf("create topic %s: fewer brokers are up than bus.kafka.replication or the cluster's default asks for: %w", w.name, err)
	}
	return s.denied("create topic "+w.name, err, w)
}

// denied says what to do where we may not see or make topics.
func (s Settings) denied(doing string, err error, topics ...want) error {
	if !isDenied(err) {
		return fmt.Errorf("%s: %w", doing, err)
	}
	text := ""
	for _, w := range topics {
		text += "\n  " + s.command(w)
	}
	return fmt.Errorf("%s: %w; allow our user to describe, create, read and write them, or make them and allow all but that:%s", doing, err, text)
}

// Away reports whether an error of [NewConsumer] or [NewPublisher] says that no broker answers,
// or not yet well, which may end by itself.
func Away(err error) bool {
	var network net.Error
	return errors.As(err, &network) || kgo.IsRetryableBrokerErr(err) || kerr.IsRetriable(err) ||
		errors.Is(err, kerr.InvalidReplicationFactor) || errors.Is(err, kgo.ErrRecordTimeout)
}

// unread is how long a broker that closes a connection before its first word is taken for one that
// has just ended: after that, TLS or SASL is not what it expects.
const unread = time.Minute

// Patient is [Away] for one start, which waits a minute for a broker that says nothing at all.
func Patient(now func() time.Time) func(error) bool {
	var since time.Time
	return func(err error) bool {
		var first *kgo.ErrFirstReadEOF // TLS or SASL that one side does not expect, or a broker that has just ended
		if !errors.As(err, &first) {
			return Away(err)
		}
		if since.IsZero() {
			since = now()
		}
		return now().Sub(since) < unread
	}
}

func isDenied(err error) bool {
	var all *kadm.AuthError
	return errors.As(err, &all) || errors.Is(err, kerr.TopicAuthorizationFailed) || errors.Is(err, kerr.ClusterAuthorizationFailed)
}

// command is what a person runs in our place.
func (s Settings) command(w want) string {
	text := fmt.Sprintf("kafka-topics.sh --create --topic %s --partitions %d", w.name, either(w.partitions, defaultPartitions))
	if s.Replicas > 0 {
		text += fmt.Sprintf(" --replication-factor %d", s.Replicas)
	}
	configs := w.configs(s.Replicas)
	for _, name := range slices.Sorted(maps.Keys(configs)) {
		text += " --config " + name + "=" + *configs[name]
	}
	return text
}
