package kafka_test

import (
	"context"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/twmb/franz-go/pkg/kgo"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/bus/kafka"
)

// What waits behind a handler that does not come to its end is told, and no longer when it did.
func TestLagIsToldAndGoes(t *testing.T) {
	fake := fakeBroker(t)
	s := kafka.Settings{Brokers: fake.ListenAddrs(), Partitions: 4}
	p, c := open(t, s)
	registry := prometheus.NewPedanticRegistry()
	later := func() time.Time { return time.Now().Add(time.Hour) }
	if err := c.Measure(registry, later); err != nil {
		t.Fatal(err)
	}
	if err := p.Measure(registry); err != nil {
		t.Fatal(err)
	}
	poison := &kgo.Record{Topic: "k8guard.observations", Partition: 1, Key: []byte("k"), Value: []byte("{")}
	raw, err := kgo.NewClient(kgo.SeedBrokers(s.Brokers...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(raw.Close)
	if err := raw.ProduceSync(t.Context(), poison).FirstErr(); err != nil {
		t.Fatal(err)
	}
	for n := range 5 {
		publish(t, p, inventory(1, n))
	}
	is(t, registry, "k8guard_bus_buffered_messages", 0)

	begun, release := make(chan struct{}), make(chan struct{})
	consume(t, c, func(_ context.Context, m v1.Message) error {
		if m.Inventory.Judged == 0 {
			close(begun)
		}
		<-release
		return nil
	})
	<-begun
	is(t, registry, "k8guard_bus_lag_messages", 5)
	is(t, registry, "k8guard_bus_partitions", 4)
	is(t, registry, "k8guard_bus_dead_letters_total", 1)
	if age := value(t, registry, "k8guard_bus_lag_seconds"); age < 3590 || age > 3700 {
		t.Errorf("the message in hand is %v s old, an hour is what our clock says", age)
	}
	close(release)
	is(t, registry, "k8guard_bus_lag_messages", 0)
	is(t, registry, "k8guard_bus_lag_seconds", 0)
	if problems, err := testutil.GatherAndLint(registry); err != nil || len(problems) > 0 {
		t.Errorf("promlint: %v %v", problems, err)
	}
}

func value(t *testing.T, from prometheus.Gatherer, name string) float64 {
	t.Helper()
	families, err := from.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			return f.GetMetric()[0].GetGauge().GetValue() + f.GetMetric()[0].GetCounter().GetValue()
		}
	}
	t.Fatalf("no metric is called %s", name)
	return 0
}

// is waits until a metric has a value.
func is(t *testing.T, from prometheus.Gatherer, name string, want float64) {
	t.Helper()
	got := value(t, from, name)
	for end := time.Now().Add(patience); got != want; got = value(t, from, name) {
		if time.Now().After(end) {
			t.Fatalf("%s is %v, want %v", name, got, want)
		}
		time.Sleep(5 * time.Millisecond)
	}
}
