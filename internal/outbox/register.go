package outbox

import (
	"context"
	"slices"
	"strconv"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
)

// register lists the outboxes of a bucket that may hold something. A docket leads to the boxes of
// what it still owes; of several channels the first that tells ends that, and the boxes of the
// others would be known to nobody after a restart.
type register struct {
	Boxes []string `json:"boxes"`
}

func registerKey(bucket int) string { return "outboxes/" + strconv.Itoa(bucket) }

// Register notes an outbox, for whoever has its bucket later. It is called before the outbox is
// filed into, and stays: there are as many as owners and channels.
func Register(ctx context.Context, l ledger.Records, box string) error {
	_, err := ledger.UpdateRecord(ctx, l, registerKey(docket.BucketOf(box)), func(r *register) (bool, error) {
		if slices.Contains(r.Boxes, box) {
			return false, nil
		}
		r.Boxes = append(r.Boxes, box)
		return true, nil
	})
	return err
}

// Registered lists the outboxes of a bucket that may hold something.
func Registered(ctx context.Context, l ledger.Records, bucket int) ([]string, error) {
	r, err := ledger.Read[register](ctx, l, registerKey(bucket))
	return r.Boxes, err
}
