package kafka_test

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/k8guard/k8guard/internal/bus/kafka"
)

// What ends by itself is waited for, what a person has to mend is not.
func TestAway(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		away bool
	}{
		"killed before its first answer": {fmt.Errorf("the broker closed the connection: %w", io.EOF), true},
		"killed with a question in hand": {fmt.Errorf("read: %w", io.ErrUnexpectedEOF), true},
		"nobody listens":                 {&net.OpError{Op: "dial", Err: errors.New("refused")}, true},
		"a topic not yet known":          {fmt.Errorf("look: %w", kerr.UnknownTopicOrPartition), true},
		"fewer brokers than copies":      {fmt.Errorf("create: %w", kerr.InvalidReplicationFactor), true},
		"not allowed":                    {fmt.Errorf("look: %w", kerr.TopicAuthorizationFailed), false},
		"a wrong policy":                 {errors.New("kafka: topic k8guard.observations has cleanup.policy=delete"), false},
	} {
		if got := kafka.Away(c.err); got != c.away {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// A broker that closes before its first word may have just ended, or wants TLS: it is waited for a
// minute, and then a person is told.
func TestABrokerThatSaysNothingIsWaitedForAMinute(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = c.Read(make([]byte, 4096))
			_ = c.Close()
		}
	}()
	_, err = kafka.NewPublisher(t.Context(), kafka.Settings{Brokers: []string{listener.Addr().String()}, Partitions: 1, Log: slog.New(slog.DiscardHandler)})
	if err == nil || kafka.Away(err) {
		t.Fatalf("%v: it is called away", err)
	}
	now := time.Now()
	away := kafka.Patient(func() time.Time { return now })
	if !away(err) || !away(kerr.UnknownTopicOrPartition) || away(errors.New("a wrong policy")) {
		t.Error("not at first")
	}
	if now = now.Add(2 * time.Minute); away(err) || !away(io.EOF) {
		t.Error("not after two minutes")
	}
}
