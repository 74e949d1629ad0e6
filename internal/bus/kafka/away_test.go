package kafka_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"testing"

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
