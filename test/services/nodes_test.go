package services

import (
	"context"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/tools/services"
	"github.com/k8guard/k8guard/tools/services/servicestest"
)

// One of two brokers is killed and the story goes on; one of two nodes of Cassandra is killed
// and it waits, for two copies are no quorum without it. When they are back, all is done once.
func TestOneOfTwoNodesDown(t *testing.T) {
	two := services.Options{Nodes: 2}
	kafka, cassandra := servicestest.StartWith(t, services.Kafka, two), servicestest.StartWith(t, services.Cassandra, two)
	h := newHouse(t, kafka, cassandra, func(c *config.Config) {
		quick(c, 1)
		c.Bus.Kafka.Replication, c.Ledger.Cassandra.Replication = 2, 2
	})
	v := newViolations(h)
	all := h.open()
	v.wave()
	for i := range 2 { // each broker once
		if err := kafka.Kill(i); err != nil {
			t.Fatal(err)
		}
		v.wave()
		v.settle(2 * time.Minute)
		if err := kafka.Restart(t.Context(), i); err != nil {
			t.Fatal(err)
		}
		h.until("both brokers have every copy again", 2*time.Minute, func() bool { return inStep(t, kafka) })
	}
	if err := cassandra.Kill(1); err != nil {
		t.Fatal(err)
	}
	before := len(v.stops())
	v.wave()
	time.Sleep(15 * time.Second) // longer than the ladder takes
	if n := len(v.stops()); n != before {
		t.Errorf("%d stops while the ledger was not to be written", n-before)
	}
	if err := cassandra.Restart(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	v.settle(2 * time.Minute)
	time.Sleep(3 * time.Second) // the last mails of the acts
	h.end(all)
	v.judge()
}

// inStep reports whether no partition of any topic lacks a copy.
func inStep(t *testing.T, kafka *services.Service) bool {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(kafka.Addresses()...))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	topics, err := kadm.NewClient(client).ListTopicsWithInternal(ctx)
	if err != nil {
		return false
	}
	whole := len(topics) > 0
	topics.EachPartition(func(p kadm.PartitionDetail) { whole = whole && p.Err == nil && len(p.ISR) == len(p.Replicas) })
	return whole
}
