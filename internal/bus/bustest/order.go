package bustest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/bus"
	"github.com/k8guard/k8guard/internal/docket"
)

const (
	buckets = 20
	each    = 30
)

func order(t *testing.T, open Make) {
	p, c := open(t, 64)
	got := collector()
	consume(t, c, func(_ context.Context, m v1.Message) error { got <- m; return nil })
	for n := range each {
		for bucket := range buckets {
			publish(t, p, inventory(bucket*51, n)) // 51: spread over all buckets
		}
	}
	next := map[int]int{}
	for _, m := range receive(t, got, buckets*each) {
		if m.Inventory.Judged != next[bus.Bucket(m)] {
			t.Fatalf("bucket %d: %d came, %d is next", bus.Bucket(m), m.Inventory.Judged, next[bus.Bucket(m)])
		}
		next[bus.Bucket(m)]++
	}
}

// collector never makes a handler wait.
func collector() chan v1.Message { return make(chan v1.Message, 4096) }

func redelivery(t *testing.T, open Make) {
	p, c := open(t, 64)
	publish(t, p, inventory(7, 0), inventory(7, 1), inventory(7, 2))
	got := collector()
	var failures atomic.Int32
	consume(t, c, func(_ context.Context, m v1.Message) error {
		got <- m
		if m.Inventory.Judged == 1 && failures.Add(1) <= 2 {
			return errors.New("again, please")
		}
		return nil
	})
	var numbers []string
	for _, m := range receive(t, got, 5) {
		numbers = append(numbers, number(m))
	}
	if want := []string{"7/0", "7/1", "7/1", "7/1", "7/2"}; !slices.Equal(numbers, want) {
		t.Errorf("handled %v, want %v", numbers, want)
	}
	select {
	case m := <-got:
		t.Errorf("%s came again after it was handled", number(m))
	case <-time.After(300 * time.Millisecond):
	}
}

func sideBySide(t *testing.T, open Make) {
	p, c := open(t, 512)
	got := collector()
	free := signal()
	stop := consume(t, c, func(ctx context.Context, m v1.Message) error {
		if bus.Bucket(m) == 0 {
			select {
			case <-free:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		got <- m
		return nil
	})
	publish(t, p, inventory(0, 0))
	for bucket := 1; bucket < 40; bucket++ {
		publish(t, p, inventory(bucket, 0))
	}
	// Buckets may share a worker with the one that hangs, but not all of them.
	for _, m := range receive(t, got, 1) {
		if bus.Bucket(m) == 0 {
			t.Error("the handler that hangs came back")
		}
	}
	close(free)
	receive(t, got, 39)
	stop()
}

func signal() chan struct{} { return make(chan struct{}) }

func oneAtATime(t *testing.T, open Make) {
	p, c := open(t, 64)
	var running atomic.Int32
	done := collector()
	consume(t, c, func(_ context.Context, m v1.Message) error {
		if n := running.Add(1); n > 1 {
			t.Errorf("%d handlers of one bucket at once", n)
		}
		time.Sleep(time.Millisecond)
		running.Add(-1)
		done <- m
		return nil
	})
	for n := range each {
		publish(t, p, inventory(3, n))
	}
	receive(t, done, each)
}

// whole sends one message of each kind and expects them back unchanged, the observation in
// its root's bucket.
func whole(t *testing.T, open Make) {
	p, c := open(t, 16)
	k := key(1)
	at := time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC)
	observation := v1.Message{Observation: &v1.Observation{V: v1.Version, Cluster: v1.Cluster{Name: "prod", UID: k.Cluster},
		Root: v1.Root{Kind: "Deployment", Namespace: "shop", Name: "web\r\n\x00\u202e", UID: k.Root}, Order: v1.Order{Epoch: 1, Seq: 2}, At: at,
		State: v1.Live, Verdicts: []v1.Verdict{{Rule: "IMAGE_REPO", State: v1.Violated, Violations: []v1.Violation{{Source: "app", From: v1.FromPod}}}}}}
	if bus.Bucket(observation) != k.Bucket() || bus.Bucket(observation) >= docket.Buckets {
		t.Fatalf("bucket %d, want that of the docket, %d", bus.Bucket(observation), k.Bucket())
	}
	sent := []v1.Message{observation, {Inventory: &v1.Inventory{V: v1.Version, Bucket: k.Bucket(), At: at, Roots: []v1.Sighting{{UID: k.Root, Hash: "h"}}}}}
	got := collector()
	consume(t, c, func(_ context.Context, m v1.Message) error { got <- m; return nil })
	publish(t, p, sent...)
	for i, m := range receive(t, got, len(sent)) {
		if fmt.Sprint(text(t, m)) != fmt.Sprint(text(t, sent[i])) {
			t.Errorf("sent %s\ngot  %s", text(t, sent[i]), text(t, m))
		}
	}
}
