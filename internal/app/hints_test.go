package app

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/bus"
	"github.com/k8guard/k8guard/internal/config"
)

// What a first K8Guard says on the topic that is configured comes to the discover that leads;
// where none is configured, nobody asks.
func TestHintsOfAFirstK8Guard(t *testing.T) {
	broker, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "old", "k8guard.deadletters"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(broker.Close)
	in := &instance{Settings: Settings{Config: config.Default(), Log: slog.New(slog.DiscardHandler)}, cluster: v1.Cluster{UID: "c"}, hints: make(chan bus.Hint)}
	in.Config.Bus.Kafka.Brokers = broker.ListenAddrs()
	if first, err := in.first(); first != nil || err != nil {
		t.Fatalf("without a topic: %v, %v", first, err)
	}
	in.Config.Bus.Kafka.FirstTopic = "old"
	first, err := in.first()
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- in.listen(ctx, first) }()
	got := said(t, broker.ListenAddrs(), in.hints)
	if want := (bus.Hint{Cluster: "east", Kind: "job", Namespace: "shop", Name: "x"}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// said says something until it is heard: a new reader begins at the end.
func said(t *testing.T, brokers []string, hints <-chan bus.Hint) bus.Hint {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.DefaultProduceTopic("old"))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); {
		r := &kgo.Record{Value: []byte(`{"kind":"job","data":{"Name":"x","Namespace":"shop","Cluster":"east","Violations":[]}}`)}
		if err := client.ProduceSync(t.Context(), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
		select {
		case h := <-hints:
			return h
		case <-time.After(100 * time.Millisecond):
		}
	}
	t.Fatal("nobody heard it")
	return bus.Hint{}
}
