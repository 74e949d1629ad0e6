package kafka_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/k8guard/k8guard/internal/bus/kafka"
)

func admin(t *testing.T, brokers []string) *kadm.Client {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return kadm.NewClient(client)
}

// publisher opens one end and says what became of it.
func publisher(t *testing.T, s kafka.Settings) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	p, err := kafka.NewPublisher(ctx, s)
	if err == nil {
		closed(t, p.Close)
	}
	return err
}

func TestTopicsAreMadeOnceByAll(t *testing.T) {
	fake := fakeBroker(t)
	s := kafka.Settings{Brokers: fake.ListenAddrs(), Partitions: 6, Retention: 48 * time.Hour}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if err := publisher(t, s); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	topics, err := admin(t, s.Brokers).ListTopics(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, partitions := range map[string]int{"k8guard.observations": 6, "k8guard.requests": 1, "k8guard.deadletters": 1} {
		if got := len(topics[name].Partitions); got != partitions {
			t.Errorf("%s has %d partitions, want %d", name, got, partitions)
		}
	}
	configs, err := admin(t, s.Brokers).DescribeTopicConfigs(t.Context(), "k8guard.observations")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, c := range configs[0].Configs {
		found[c.Key] = c.MaybeValue()
	}
	if found["cleanup.policy"] != "compact,delete" || found["retention.ms"] != "172800000" {
		t.Errorf("settings: %v", found)
	}
	s.Partitions = 0
	if err := publisher(t, s); err != nil {
		t.Errorf("any number of partitions: %v", err)
	}
}

func TestTopicsThatDoNotFitAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		make map[string]map[string]*string // topics with their settings, one partition each
		s    kafka.Settings
		says []string
	}{
		"missing, and none may be made": {nil, kafka.Settings{CheckOnly: true, Partitions: 3, Replicas: 3},
			[]string{"k8guard.observations does not exist", "kafka-topics.sh --create --topic k8guard.observations --partitions 3 --replication-factor 3 " +
				"--config cleanup.policy=compact,delete --config max.message.bytes=", "--config min.insync.replicas=2"}},
		"other partitions": {map[string]map[string]*string{"k8guard.observations": {"cleanup.policy": kadm.StringPtr("compact,delete")}},
			kafka.Settings{Partitions: 5}, []string{"1 partitions and 5 are set"}},
		"not compacted": {map[string]map[string]*string{"k8guard.observations": {"cleanup.policy": kadm.StringPtr("delete"), "max.message.bytes": kadm.StringPtr("9999999")}},
			kafka.Settings{}, []string{"k8guard.observations", "cleanup.policy=delete, set compact,delete"}},
		"requests compacted": {map[string]map[string]*string{"k8guard.requests": {"cleanup.policy": kadm.StringPtr("compact")}},
			kafka.Settings{}, []string{"k8guard.requests", "set delete"}},
		"small messages": {map[string]map[string]*string{"k8guard.observations": {"cleanup.policy": kadm.StringPtr("delete,compact"), "max.message.bytes": kadm.StringPtr("1000")}},
			kafka.Settings{}, []string{"k8guard.observations", "max.message.bytes=1000, set at least"}},
	} {
		t.Run(name, func(t *testing.T) {
			fake := fakeBroker(t)
			c.s.Brokers = fake.ListenAddrs()
			for topic, configs := range c.make {
				if made, err := admin(t, c.s.Brokers).CreateTopic(t.Context(), 1, 1, configs, topic); err != nil || made.Err != nil {
					t.Fatal(err, made.Err)
				}
			}
			err := publisher(t, c.s)
			for _, part := range c.says {
				if err == nil || !strings.Contains(err.Error(), part) {
					t.Errorf("%v\nlacks %q", err, part)
				}
			}
		})
	}
}

func TestSettingsThatCannotBe(t *testing.T) {
	at := []string{"127.0.0.1:1"}
	for says, s := range map[string]kafka.Settings{
		"no brokers":          {},
		"1 to 1024":           {Brokers: at, Partitions: 1025},
		"cannot be negative":  {Brokers: at, Buffer: -1},
		"is not known, write": {Brokers: at, Login: kafka.Login{Mechanism: "scram", User: "u"}},
		"no mechanism":        {Brokers: at, Login: kafka.Login{User: "u"}},
		"without a token":     {Brokers: at, Login: kafka.Login{Mechanism: "OAUTHBEARER"}},
	} {
		if err := publisher(t, s); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("want %q, got %v", says, err)
		}
	}
}
