package kafka_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/k8guard/k8guard/internal/bus"
	"github.com/k8guard/k8guard/internal/bus/kafka"
)

func TestFirstTopicOnFake(t *testing.T) {
	fake := fakeBroker(t)
	firstTopic(t, fake.ListenAddrs())
}

// firstTopic reads what a first K8Guard says: hints in order, poison among the dead letters,
// and after a pause from where it was.
func firstTopic(t *testing.T, brokers []string) {
	const topic = "k8guard-action"
	s := kafka.Settings{Brokers: brokers, Prefix: "first", Partitions: 1, Cluster: "c"}
	_, c := open(t, s) // makes our topics
	say := stranger(t, brokers, topic)
	hints := make(chan bus.Hint, 1000)
	stop := listen(t, s, topic, hints)
	// A group that is new begins at the end: say something until it is heard.
	for heard := false; !heard; {
		say(`{"kind":"pod","data":{"Name":"begin","Namespace":"n"}}`)
		select {
		case h := <-hints:
			heard = h.Name == "begin"
		case <-time.After(50 * time.Millisecond):
		}
	}
	say(`{"kind":"test2","data":{}}`)
	say("\x00{")
	say(`{"kind":"test","data":{}}`)
	say(`{"data":{"Name":"web","Namespace":"shop","Cluster":"east","Violations":[{"Source":"r/x","Type":"IMAGE_REPO"}]},"kind":"deployment"}`)
	await(t, hints, bus.Hint{Cluster: "east", Kind: "deployment", Namespace: "shop", Name: "web"})
	stop()
	say(`{"kind":"job","data":{"Name":"meanwhile","Namespace":"shop"}}`)
	listen(t, s, topic, hints)
	await(t, hints, bus.Hint{Kind: "job", Namespace: "shop", Name: "meanwhile"})

	letters, err := c.Letters(t.Context(), 1000)
	if err != nil {
		t.Fatal(err)
	}
	reasons := ""
	for _, l := range letters {
		reasons += l.Reason + "\n"
		if !strings.HasPrefix(l.From, topic+"/") {
			t.Errorf("%+v", l)
		}
	}
	if strings.Count(reasons, "not JSON") != 1 || !strings.Contains(reasons, `kind "test2"`) {
		t.Errorf("the dead letters say\n%s", reasons)
	}
}

// A stranger's junk neither fills the dead letters nor holds up what can be read.
func TestJunkOnTheFirstTopicIsBounded(t *testing.T) {
	const topic, junk, kept = "k8guard-action", 60, 20
	s := kafka.Settings{Brokers: fakeBroker(t).ListenAddrs(), Prefix: "junk", Partitions: 1, Cluster: "c"}
	_, c := open(t, s)
	say := stranger(t, s.Brokers, topic)
	hints := make(chan bus.Hint, 1000)
	listen(t, s, topic, hints)
	for heard := false; !heard; { // a group that is new begins at the end
		say(`{"kind":"pod","data":{"Name":"begin","Namespace":"n"}}`)
		select {
		case <-hints:
			heard = true
		case <-time.After(50 * time.Millisecond):
		}
	}
	for range junk {
		say("{" + strings.Repeat("x", 100_000))
	}
	say(`{"kind":"job","data":{"Name":"after","Namespace":"shop"}}`)
	await(t, hints, bus.Hint{Kind: "job", Namespace: "shop", Name: "after"})
	letters, err := c.Letters(t.Context(), 1000)
	if err != nil || len(letters) != kept {
		t.Errorf("%d dead letters of %d, %v", len(letters), junk, err)
	}
	for _, l := range letters {
		if l.Bytes > 4096 {
			t.Errorf("a letter of %d bytes", l.Bytes)
		}
	}
}

func await(t *testing.T, hints <-chan bus.Hint, want bus.Hint) {
	t.Helper()
	for {
		h := next(t, hints)
		if h == want {
			return
		}
		if h.Name != "begin" {
			t.Fatalf("heard %+v, want %+v", h, want)
		}
	}
}

// listen reads the topic until the returned function is called.
func listen(t *testing.T, s kafka.Settings, topic string, hints chan<- bus.Hint) (stop func()) {
	t.Helper()
	first, err := kafka.NewFirst(s, topic)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- first.Read(ctx, func(ctx context.Context, h bus.Hint) error {
			select {
			case hints <- h:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	}()
	done := false
	stop = func() {
		if done {
			return
		}
		done = true
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(stop)
	return stop
}

// stranger makes the topic and says something on it.
func stranger(t *testing.T, brokers []string, topic string) (say func(string)) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.AllowAutoTopicCreation())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	if _, err := kadm.NewClient(client).CreateTopic(t.Context(), 1, 1, nil, topic); err != nil {
		t.Fatal(err)
	}
	return func(text string) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		record := &kgo.Record{Topic: topic, Key: []byte("1500000000"), Value: []byte(text)}
		if err := client.ProduceSync(ctx, record).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAFirstTopicIsNeeded(t *testing.T) {
	if _, err := kafka.NewFirst(kafka.Settings{Brokers: []string{"x:1"}}, ""); err == nil {
		t.Error("no topic is taken")
	}
	if _, err := kafka.NewFirst(kafka.Settings{}, "t"); err == nil {
		t.Error("no brokers are taken")
	}
}
