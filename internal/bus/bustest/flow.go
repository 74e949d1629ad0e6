package bustest

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"testing"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/bus"
)

// short is long enough for what happens at once.
const short = 200 * time.Millisecond

// fill publishes into one bucket until the bus is full; it returns how many it took.
func fill(t *testing.T, p bus.Publisher, most int) int {
	t.Helper()
	for n := 0; n <= most; n++ {
		ctx, cancel := context.WithTimeout(t.Context(), short)
		began := time.Now()
		err := p.Publish(ctx, inventory(5, n))
		cancel()
		if err == nil {
			continue
		}
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("publish on a full bus: %v, want that its context ended", err)
		}
		if waited := time.Since(began); waited < short/2 || waited > patience {
			t.Errorf("publish on a full bus waited %s, want until its context ended after %s", waited, short)
		}
		return n
	}
	t.Fatalf("a bus of %d took %d messages that nobody consumes", most, most+1)
	return 0
}

func backpressure(t *testing.T, open Make, choke Choke) {
	p, _ := open(t, 10)
	t.Cleanup(choke(t))
	if n := fill(t, p, 10); n == 0 {
		t.Error("the bus took nothing")
	}
}

func release(t *testing.T, open Make, choke Choke) {
	p, c := open(t, 4)
	free := sync.OnceFunc(choke(t))
	t.Cleanup(free)
	n := fill(t, p, 4)
	published := signal()
	go func() {
		defer close(published)
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		if err := p.Publish(ctx, inventory(5, n)); err != nil {
			t.Errorf("publish: %v", err)
		}
	}()
	free()
	got := collector()
	consume(t, c, func(_ context.Context, m v1.Message) error { got <- m; return nil })
	for i, m := range receive(t, got, n+1) {
		if m.Inventory.Judged != i {
			t.Errorf("message %d is %s", i, number(m))
		}
	}
	<-published
}

func requests(t *testing.T, open Make) {
	p, c := open(t, 4)
	for n := range 3 {
		c.Request(key(n))
	}
	for n, k := range receive(t, p.Requests(), 3) {
		if k != key(n) {
			t.Errorf("request %d asks for %s", n, k)
		}
	}
}

func overflow(t *testing.T, open Make) {
	p, c := open(t, 4)
	const many = 100_000
	ended := signal()
	go func() {
		defer close(ended)
		for n := range many {
			c.Request(key(n))
		}
	}()
	select {
	case <-ended:
	case <-time.After(patience):
		t.Fatal("Request blocks when nobody reads")
	}
	n := 0
	for {
		select {
		case <-p.Requests():
			n++
			continue
		case <-time.After(short):
		}
		break
	}
	if n == 0 || n == many {
		t.Errorf("%d of %d requests were kept; want some, within a bound", n, many)
	}
	c.Request(key(1))
	if got := receive(t, p.Requests(), 1); got[0] != key(1) {
		t.Errorf("after the overflow came %s", got[0])
	}
}

// stop ends a consumer while one handler hangs, one keeps failing and messages wait.
func stop(t *testing.T, open Make) {
	p, c := open(t, 64)
	entered := collector()
	end := consume(t, c, func(ctx context.Context, m v1.Message) error {
		entered <- m
		if bus.Bucket(m) == 1 {
			return errors.New("never")
		}
		<-ctx.Done()
		return ctx.Err()
	})
	publish(t, p, inventory(1, 0), inventory(1, 1), inventory(2, 0), inventory(2, 1))
	receive(t, entered, 2)
	end()
}

// restart stops a consumer in the middle of a message: the next one gets it, and the rest.
func restart(t *testing.T, open Make) {
	p, c := open(t, 64)
	publish(t, p, inventory(1, 0), inventory(1, 1), inventory(1, 2))
	entered := collector()
	end := consume(t, c, func(ctx context.Context, m v1.Message) error {
		entered <- m
		if m.Inventory.Judged == 0 {
			return nil
		}
		<-ctx.Done()
		return ctx.Err()
	})
	receive(t, entered, 2)
	end()
	got := collector()
	consume(t, c, func(_ context.Context, m v1.Message) error { got <- m; return nil })
	for i, m := range receive(t, got, 2) {
		if m.Inventory.Judged != i+1 {
			t.Errorf("after the restart came %s, want 1/%d", number(m), i+1)
		}
	}
}

func text(t *testing.T, m v1.Message) string {
	t.Helper()
	raw, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
