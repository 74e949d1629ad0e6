// Package kafka is the bus between services: three topics of a Kafka cluster.
//
// Purpose: discover publishes to action under the rules of package bus when they are not one
// process. PREFIX.observations carries observations and inventories, PREFIX.requests what
// action wants to hear of again, PREFIX.deadletters what nobody can read.
//
// Concurrency: all methods of a [Publisher] and a [Consumer] may be called from many
// goroutines; one Consume runs at a time. Each partition has one worker, and a bucket falls
// into partition bucket mod partitions.
//
// Guarantees: order within a partition (an idempotent producer, one worker). A message is
// committed after its handler returned nil, or after the dead letters hold it; so a crash
// repeats messages and loses none that Kafka took. A partition that is taken away first
// finishes the message in hand. Memory is bounded on both sides, also while Kafka is down:
// then publishers wait.
//
// It will not: promise that what Publish took survives a crash of the publisher (the next
// resync says it again), deliver exactly once, put a message whose handler fails among the
// dead letters (it is tried until it succeeds), or delete or alter a topic.
package kafka

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/k8guard/k8guard/internal/docket"
)

const (
	// maxMessage bounds one message, in bytes; a root's verdicts are some kilobytes.
	maxMessage = 4 << 20
	// maxRequests bounds the requests that nobody has read; an inventory raises more again.
	maxRequests = 1024

	// fetchWait is how long the end of a client may wait for an answer that has no messages.
	fetchWait = 500 * time.Millisecond

	// metadataAge is how soon a topic that was just made, or a new leader, is seen.
	metadataAge = 200 * time.Millisecond

	defaultPrefix     = "k8guard"
	defaultPartitions = 12
	defaultRetention  = 7 * 24 * time.Hour
	defaultBuffer     = 4096
	defaultBytes      = 64 << 20
)

// Settings of both ends. Brokers are required.
type Settings struct {
	Brokers []string
	// TLS is nil for a connection that anybody can read.
	TLS   *tls.Config
	Login Login
	// Prefix of the topics' names; "" means k8guard.
	Prefix string
	// Group of the consumers, one for each ledger; "" means PREFIX.action.
	Group string
	// Partitions of the observations: at most so many replicas of action share the work. 0
	// means 12, or what the topic has.
	Partitions int32
	// Replicas of each topic; 0 means the cluster's default.
	Replicas int16
	// Retention of what nobody said again; 0 means a week.
	Retention time.Duration
	// CheckOnly never creates a topic: it is an error if one is missing.
	CheckOnly bool
	// Cluster is the UID whose requests a publisher wants; "" means all.
	Cluster string
	// Buffer bounds the messages, and BufferBytes their size, that a publisher holds while
	// Kafka does not take them; 0 means 4096 and 64 MiB.
	Buffer      int
	BufferBytes int64
	// Log is told of what nobody waits for: a lost message, a dead letter.
	Log *slog.Logger
}

// topics by their use.
type topics struct{ observations, requests, deadLetters string }

func (s Settings) topics() topics {
	return topics{s.Prefix + ".observations", s.Prefix + ".requests", s.Prefix + ".deadletters"}
}

// complete fills in defaults and refuses what cannot be.
func (s Settings) complete() (Settings, error) {
	if len(s.Brokers) == 0 {
		return s, errors.New("kafka: no brokers are set, name at least one host:port")
	}
	if s.Partitions < 0 || s.Partitions > docket.Buckets {
		return s, fmt.Errorf("kafka: partitions is %d, write 1 to %d (there are so many buckets)", s.Partitions, docket.Buckets)
	}
	if s.Replicas < 0 || s.Buffer < 0 || s.BufferBytes < 0 || s.Retention < 0 {
		return s, errors.New("kafka: replicas, retention and the buffer cannot be negative, write 0 for the default")
	}
	s.Prefix = either(s.Prefix, defaultPrefix)
	s.Group = either(s.Group, s.Prefix+".action")
	s.Retention = either(s.Retention, defaultRetention)
	s.Buffer = either(s.Buffer, defaultBuffer)
	s.BufferBytes = max(either(s.BufferBytes, defaultBytes), maxMessage)
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	return s, nil
}

func either[T comparable](value, otherwise T) T {
	var zero T
	if value == zero {
		return otherwise
	}
	return value
}

// client makes a client with what both ends have in common.
func (s Settings) client(more ...kgo.Opt) (*kgo.Client, error) {
	options := []kgo.Opt{
		kgo.SeedBrokers(s.Brokers...), kgo.ClientID("k8guard"),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchMaxBytes(maxMessage + envelope), kgo.ProducerBatchCompression(kgo.ZstdCompression(), kgo.NoCompression()),
		kgo.FetchMaxBytes(4 * maxMessage), kgo.FetchMaxPartitionBytes(maxMessage), kgo.MaxConcurrentFetches(2), kgo.FetchMaxWait(fetchWait), kgo.MetadataMinAge(metadataAge),
	}
	if s.TLS != nil {
		options = append(options, kgo.DialTLSConfig(s.TLS))
	}
	mechanism, err := s.Login.mechanism()
	if err != nil {
		return nil, err
	}
	if mechanism != nil {
		options = append(options, kgo.SASL(mechanism))
	}
	client, err := kgo.NewClient(append(options, more...)...)
	if err != nil {
		return nil, fmt.Errorf("make a Kafka client: %w", err)
	}
	return client, nil
}
