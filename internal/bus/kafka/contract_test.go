package kafka_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/k8guard/k8guard/internal/bus"
	"github.com/k8guard/k8guard/internal/bus/bustest"
	"github.com/k8guard/k8guard/internal/bus/kafka"
	"github.com/k8guard/k8guard/tools/services"
	"github.com/k8guard/k8guard/tools/services/servicestest"
)

// TestContract holds the bus against a real broker; it is full when that is paused.
func TestContract(t *testing.T) {
	broker := servicestest.Start(t, services.Kafka)
	bustest.Run(t, ends(broker.Addresses()), func(t testing.TB) func() {
		if err := broker.Pause(0); err != nil {
			t.Fatal(err)
		}
		return func() {
			if err := broker.Resume(0); err != nil {
				t.Error(err)
			}
		}
	})
	t.Run("a first K8Guard's topic", func(t *testing.T) { firstTopic(t, broker.Addresses()) })
	t.Run("a broker's death loses nothing", func(t *testing.T) { death(t, broker) })
}

// TestContractOnFake is the same for those who have no broker, and under -short.
func TestContractOnFake(t *testing.T) {
	fake := fakeBroker(t)
	bustest.Run(t, ends(fake.ListenAddrs()), func(testing.TB) func() {
		released, free := context.WithCancel(context.Background())
		fake.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
			if released.Err() == nil {
				fake.KeepControl()
				fake.SleepControl(func() { <-released.Done() })
			}
			return nil, nil, false
		})
		return free
	})
}

func fakeBroker(t *testing.T) *kfake.Cluster {
	t.Helper()
	fake, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SleepOutOfOrder())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fake.Close)
	return fake
}

// ends makes both ends of a new bus: topics of its own on the same brokers.
func ends(brokers []string) bustest.Make {
	var count atomic.Int32
	return func(t testing.TB, capacity int) (bus.Publisher, bus.Consumer) {
		return open(t, kafka.Settings{Brokers: brokers, Prefix: fmt.Sprintf("bus-%d", count.Add(1)), Partitions: 4, Buffer: capacity})
	}
}

func open(t testing.TB, s kafka.Settings) (*kafka.Publisher, *kafka.Consumer) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	p, err := kafka.NewPublisher(ctx, s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closed(t, p.Close) })
	c, err := kafka.NewConsumer(ctx, s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closed(t, c.Close) })
	return p, c
}

func closed(t testing.TB, end func(context.Context) error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := end(ctx); err != nil {
		t.Error(err)
	}
}
