// Package bustest is the contract of a bus as tests.
//
// Purpose: every transport proves with [Run] that it does what package bus promises.
//
// Concurrency: each test makes a bus of its own; goroutines that it leaves behind fail it.
//
// Guarantees: a failure names the promise that is broken. Every wait has an end.
//
// It will not: look inside a transport, or ask for more partitions than it has.
package bustest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"go.uber.org/goleak"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/bus"
	"github.com/k8guard/k8guard/internal/docket"
)

// fakeConnection is what serves one connection of a fake Kafka.
const fakeConnection = "github.com/twmb/franz-go/pkg/kfake.(*clientConn)."

// patience ends a wait that should not be needed.
const patience = 20 * time.Second

// Make returns the two ends of a new bus that holds about capacity messages, in at least
// two partitions.
type Make = func(t testing.TB, capacity int) (bus.Publisher, bus.Consumer)

// Choke keeps a transport from taking what is published, until release is called. Only so is
// one full that keeps what nobody consumes; others need none.
type Choke = func(t testing.TB) (release func())

// Run tests a transport; choke may be nil.
func Run(t *testing.T, open Make, choke Choke) {
	if choke == nil {
		choke = func(testing.TB) func() { return func() {} }
	}
	for _, test := range []struct {
		name string
		run  func(t *testing.T, open Make)
	}{
		{"order within each bucket", order},
		{"a failed message comes again before later ones", redelivery},
		{"a failing bucket does not stop all others", sideBySide},
		{"one message of a bucket at a time", oneAtATime},
		{"a full bus makes its publisher wait", func(t *testing.T, open Make) { backpressure(t, open, choke) }},
		{"a waiting publisher goes on when there is room", func(t *testing.T, open Make) { release(t, open, choke) }},
		{"requests reach discover", requests},
		{"requests never block", overflow},
		{"stop in the middle returns nil", stop},
		{"stopped and started again", restart},
		{"whole messages", whole},
		{"what is passed on reaches who has its bucket", pass},
		{"buckets are gained before their messages and lost after", shares},
		{"a share that fails ends the consumer", shareFails},
	} {
		t.Run(test.name, func(t *testing.T) {
			known := goleak.IgnoreCurrent()
			// After the bus's own clean-up. A fake broker ends its connections when it comes to it.
			t.Cleanup(func() {
				goleak.VerifyNone(t, known, goleak.IgnoreAnyFunction(fakeConnection+"read"), goleak.IgnoreAnyFunction(fakeConnection+"write"))
			})
			test.run(t, open)
		})
	}
}

// inventory is a message of a bucket, with a number.
func inventory(bucket, n int) v1.Message {
	return v1.Message{Inventory: &v1.Inventory{V: v1.Version, Bucket: bucket, Judged: n}}
}

func number(m v1.Message) string { return fmt.Sprintf("%d/%d", bus.Bucket(m), m.Inventory.Judged) }

func publish(t *testing.T, p bus.Publisher, messages ...v1.Message) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for _, m := range messages {
		if err := p.Publish(ctx, m); err != nil {
			t.Fatalf("publish: %v", err)
		}
	}
}

// consume runs a consumer until stop is called; stop fails the test if it does not end
// with nil.
func consume(t *testing.T, c bus.Consumer, handle bus.Handler) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- c.Consume(ctx, handle, Deaf{}) }()
	stopped := false
	stop = func() {
		t.Helper()
		if stopped {
			return
		}
		stopped = true
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("consume ended with %v, want nil", err)
			}
		case <-time.After(patience):
			t.Errorf("consume goes on %s after its context ended", patience)
		}
	}
	t.Cleanup(stop)
	return stop
}

// receive waits for n values.
func receive[T any](t *testing.T, from <-chan T, n int) []T {
	t.Helper()
	var got []T
	timeout := time.After(patience)
	for len(got) < n {
		select {
		case v := <-from:
			got = append(got, v)
		case <-timeout:
			t.Fatalf("%d of %d came within %s: %v", len(got), n, patience, got)
		}
	}
	return got
}

func key(n int) docket.Key {
	return docket.Key{Cluster: "cluster-uid", Root: fmt.Sprintf("root-%d", n)}
}
