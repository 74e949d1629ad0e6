package services_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/k8guard/k8guard/tools/services"
	"github.com/k8guard/k8guard/tools/services/servicestest"
)

const topic = "observations"

func TestKafkaKeepsItsDataOverKill9(t *testing.T) {
	s := servicestest.Start(t, services.Kafka)
	client := kafka(t, kgo.SeedBrokers(s.Addresses()...))
	create(t, client, 4, 1)
	produce(t, client, 100)
	consume(t, 100, kgo.SeedBrokers(s.Addresses()...))
	if err := errors.Join(s.Kill(0), s.Restart(t.Context(), 0)); err != nil {
		t.Fatal(err)
	}
	produce(t, client, 1) // the old client finds its way
	consume(t, 101, kgo.SeedBrokers(s.Addresses()...))
}

func TestKafkaSecuredWithTwoBrokers(t *testing.T) {
	s := servicestest.StartWith(t, services.Kafka, services.Options{Nodes: 2, Secured: true})
	as := func(m sasl.Mechanism) []kgo.Opt {
		config, err := s.Access().TLS()
		if err != nil {
			t.Fatal(err)
		}
		config.Certificates = nil
		return []kgo.Opt{kgo.SeedBrokers(s.Addresses()...), kgo.DialTLSConfig(config), kgo.SASL(m)}
	}
	password := s.Access().Password
	admin := as(scram.Auth{User: services.Admin, Pass: password}.AsSha512Mechanism())
	client := kafka(t, admin...)
	create(t, client, 4, 2)
	produce(t, client, 100)
	t.Run("who gets in", func(t *testing.T) { whoGetsIn(t, s, as) })
	if err := s.Kill(1); err != nil { // the other has it all
		t.Fatal(err)
	}
	consume(t, 100, admin...)
	if err := s.Restart(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
}

func whoGetsIn(t *testing.T, s *services.Service, as func(sasl.Mechanism) []kgo.Opt) {
	config, err := s.Access().TLS()
	if err != nil {
		t.Fatal(err)
	}
	stranger := config.Clone()
	stranger.Certificates = nil
	password := s.Access().Password
	for name, c := range map[string]struct {
		options []kgo.Opt
		in      bool
	}{
		"PLAIN":                        {as(plain.Auth{User: services.Admin, Pass: password}.AsMechanism()), true},
		"PLAIN, wrong password":        {as(plain.Auth{User: services.Admin, Pass: "wrong"}.AsMechanism()), false},
		"SCRAM, wrong password":        {as(scram.Auth{User: services.Admin, Pass: "wrong"}.AsSha512Mechanism()), false},
		"certificate":                  {[]kgo.Opt{kgo.SeedBrokers(s.MutualAddresses()...), kgo.DialTLSConfig(config)}, true},
		"mutual TLS, no certificate":   {[]kgo.Opt{kgo.SeedBrokers(s.MutualAddresses()...), kgo.DialTLSConfig(stranger)}, false},
		"SASL's address, no password":  {[]kgo.Opt{kgo.SeedBrokers(s.Addresses()...), kgo.DialTLSConfig(config)}, false},
		"no TLS, no password, nothing": {[]kgo.Opt{kgo.SeedBrokers(s.Addresses()...)}, false},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		client := kafka(t, append(c.options, kgo.RequestRetries(1), kgo.RetryTimeout(5*time.Second))...)
		topics, err := kadm.NewClient(client).ListTopics(ctx, topic)
		if err == nil {
			err = topics.Error()
		}
		cancel()
		if (err == nil) != c.in {
			t.Errorf("%s: %v", name, err)
		}
	}
	guest := kadm.NewClient(kafka(t, as(scram.Auth{User: services.Guest, Pass: password}.AsSha512Mechanism())...))
	made, err := guest.CreateTopic(t.Context(), 1, 1, nil, "guests")
	if err == nil {
		err = made.Err
	}
	if !errors.Is(err, kerr.TopicAuthorizationFailed) {
		t.Errorf("a guest makes a topic: %v, want that it may not", err)
	}
}

func kafka(t *testing.T, options ...kgo.Opt) *kgo.Client {
	t.Helper()
	client, err := kgo.NewClient(options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

func create(t *testing.T, client *kgo.Client, partitions int32, copies int16) {
	t.Helper()
	made, err := kadm.NewClient(client).CreateTopic(t.Context(), partitions, copies, nil, topic)
	if err = errors.Join(err, made.Err); err != nil {
		t.Fatal(err)
	}
}

func produce(t *testing.T, client *kgo.Client, n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for i := range n {
		record := &kgo.Record{Topic: topic, Key: fmt.Append(nil, i), Value: []byte("value")}
		client.Produce(ctx, record, func(_ *kgo.Record, err error) {
			if err != nil {
				t.Errorf("produce: %v", err)
			}
		})
	}
	if err := client.Flush(ctx); err != nil {
		t.Fatal(err)
	}
}

// consume reads the topic from its start and wants exactly n records.
func consume(t *testing.T, n int, options ...kgo.Opt) {
	t.Helper()
	client := kafka(t, append(options, kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))...)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	got := 0
	for got < n {
		fetches := client.PollFetches(ctx)
		if err := ctx.Err(); err != nil {
			t.Fatalf("%d of %d records came: %v; %v", got, n, err, fetches.Errors())
		}
		got += fetches.NumRecords()
	}
	if got != n {
		t.Errorf("%d records came, want %d", got, n)
	}
}
