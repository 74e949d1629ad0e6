package cassandra

import (
	"context"
	"errors"
	"hash/fnv"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/k8guard/k8guard/internal/ledger"
)

const (
	// loserWaits is how long a loser waits at most for each who wants the same: about as long
	// as one write takes. Then all come to their turn, and few find that they lost again.
	loserWaits = 20 * time.Millisecond
	longest    = 2 * time.Second
)

// turns let one goroutine of this process at a time write a docket or record: contenders on
// the wire cost each other round trips, and here they can wait. Other processes contend.
type turns [1024]turn

type turn struct {
	busy  chan struct{}
	crowd atomic.Int64 // who wait, write, or have just lost
}

func newTurns() *turns {
	var t turns
	for i := range t {
		t[i].busy = make(chan struct{}, 1)
	}
	return &t
}

// take runs do when it is this goroutine's turn. A conflict is told after a moment.
func (t *turns) take(ctx context.Context, key string, do func() error) error {
	h := fnv.New32a()
	_, _ = h.Write([]byte(key))
	mine := &t[h.Sum32()%uint32(len(t))]
	crowd := mine.crowd.Add(1)
	defer mine.crowd.Add(-1)
	select {
	case mine.busy <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	err := func() error {
		defer func() { <-mine.busy }()
		return do()
	}()
	if errors.Is(err, ledger.ErrConflict) {
		select {
		case <-ctx.Done():
		case <-time.After(rand.N(min(longest, time.Duration(crowd)*loserWaits))): //nolint:gosec // no secret
		}
	}
	return err
}
