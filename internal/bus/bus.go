// Package bus says how discover speaks to action, for every transport.
//
// Purpose: observations and inventories go one way, keyed so that what concerns one root
// stays in order; requests to say a thing again go the other way. Consumers share the
// buckets among them, and each is told which are its own.
//
// Concurrency: all methods may be called from many goroutines. One handler call at a time
// for one bucket; different buckets run side by side.
//
// Guarantees: messages of one bucket are handled in the order in which they were
// published. A message whose handler returns an error is handled again, after a pause,
// before any later one of its bucket. A publisher waits while the bus is full (its memory
// is bounded). What is lost in a crash is said again by the next resync.
//
// It will not: look inside a message beyond its key, or keep anything across a restart
// unless its transport does.
package bus

import (
	"cmp"
	"context"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/docket"
)

// Publisher is discover's end.
type Publisher interface {
	// Publish hands over one message; it waits while the bus is full, until ctx ends.
	Publish(ctx context.Context, m v1.Message) error
	// Requests yields the roots that action wants to hear of again.
	Requests() <-chan docket.Key
}

// Handler takes one message; an error means "again, please".
type Handler func(ctx context.Context, m v1.Message) error

// Share hears which buckets are one consumer's own. Calls follow one another.
type Share interface {
	// Gained comes before the first message of these buckets is handled. An error ends Consume.
	Gained(ctx context.Context, buckets []int) error
	// Lost comes when no handler of theirs runs any more, and returns when nothing else is under
	// way for them, or ctx ends: after it another consumer may have them.
	Lost(ctx context.Context, buckets []int)
}

// Consumer is action's end.
type Consumer interface {
	// Consume calls handle for each message of its buckets until ctx ends, then returns nil.
	Consume(ctx context.Context, handle Handler, share Share) error
	// Pass hands a message to whoever has its bucket, as well as it can: one that is lost costs
	// its receiver time.
	Pass(ctx context.Context, m v1.Message) error
	// Request asks for one root's observation again. It never blocks: a request that finds
	// no room is dropped, and the next inventory raises it again.
	Request(key docket.Key)
}

// Bucket returns the bucket of a message: of its root, or the inventory's own.
func Bucket(m v1.Message) int {
	if m.Observation != nil {
		return docket.Key{Cluster: m.Observation.Cluster.UID, Root: m.Observation.Root.UID}.Bucket()
	}
	if m.Inventory != nil {
		return m.Inventory.Bucket
	}
	if m.Wake != nil {
		return docket.BucketOf(cmp.Or(m.Wake.Docket, m.Wake.Box)) // a docket's key is hashed as its string
	}
	return 0
}
