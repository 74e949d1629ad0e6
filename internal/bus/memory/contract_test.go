package memory_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/bus"
	"github.com/k8guard/k8guard/internal/bus/bustest"
	"github.com/k8guard/k8guard/internal/bus/memory"
)

func TestContract(t *testing.T) {
	for _, partitions := range []int{2, 4, 7} {
		t.Run(fmt.Sprintf("%d partitions", partitions), func(t *testing.T) {
			bustest.Run(t, func(_ testing.TB, capacity int) (bus.Publisher, bus.Consumer) {
				b := memory.New(capacity, partitions)
				return b, b
			})
		})
	}
}

func TestOneConsumerAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := memory.New(1, 1)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		handle := func(context.Context, v1.Message) error { return nil }
		go func() { ended <- b.Consume(ctx, handle, bustest.Deaf{}) }()
		synctest.Wait()
		if err := b.Consume(ctx, handle, bustest.Deaf{}); !errors.Is(err, memory.ErrConsumed) {
			t.Errorf("second consumer: %v, want ErrConsumed", err)
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := b.Consume(ctx, handle, bustest.Deaf{}); err != nil {
			t.Errorf("a consumer after the first: %v", err)
		}
	})
}

func TestBoundsOfNew(t *testing.T) {
	for _, size := range [][2]int{{0, 0}, {-5, -5}, {1, 8}, {100, 3}} {
		b := memory.New(size[0], size[1])
		ctx, cancel := context.WithCancel(t.Context())
		if err := b.Publish(ctx, v1.Message{Inventory: &v1.Inventory{Bucket: -1}}); err != nil {
			t.Errorf("New(%d, %d) takes nothing: %v", size[0], size[1], err)
		}
		if b.Len() != 1 {
			t.Errorf("New(%d, %d) holds %d, want 1", size[0], size[1], b.Len())
		}
		cancel()
	}
}
