package memory

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"

	v1 "github.com/k8guard/k8guard/api/v1"
)

func TestFailedMessageComesAgainBeforeLaterOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New(4, 1)
		for i := range 3 {
			if err := b.Publish(t.Context(), v1.Message{Inventory: &v1.Inventory{Bucket: i}}); err != nil {
				t.Fatal(err)
			}
		}
		ctx, stop := context.WithCancel(t.Context())
		var got []int
		err := b.Consume(ctx, func(_ context.Context, m v1.Message) error {
			got = append(got, m.Inventory.Bucket)
			if len(got) < 3 {
				return errors.New("again")
			}
			if len(got) == 5 {
				stop()
			}
			return nil
		}, deaf{})
		if err != nil || !slices.Equal(got, []int{0, 0, 0, 1, 2}) {
			t.Fatal(got, err)
		}
	})
}

type deaf struct{}

func (deaf) Gained(context.Context, []int) error { return nil }
func (deaf) Lost(context.Context, []int)         {}
