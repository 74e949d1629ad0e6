package action

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/outbox"
)

// Gained implements bus.Share: what is open in these buckets is due now. A bucket is ours when
// what is open in it is known, not before: of what nobody has looked up nothing can be said.
func (e *Engine) Gained(ctx context.Context, buckets []int) error {
	var say rate.Sometimes
	say.Interval = time.Second // those that are asked beside each other have the same to say
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for _, bucket := range buckets {
		group.Go(func() error { return e.gain(groupCtx, bucket, &say) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	// What the platform is asked may be about a case that is over: nothing open leads there.
	for _, channel := range e.Channels {
		if box := outbox.BoxKey(e.platform().Key(), channel.Name()); e.index.owns(docket.BucketOf(box)) {
			e.boxes.add(box)
		}
	}
	e.index.began(e.Clusters, e.Now())
	return nil
}

// atOnce is how many buckets are read at a time: while they are, Kafka waits for us, and puts out
// of the group who takes too long.
const atOnce = 16

func (e *Engine) gain(ctx context.Context, bucket int, say *rate.Sometimes) error {
	keys, err := e.openIn(ctx, bucket, say)
	if err != nil {
		return fmt.Errorf("reading what is open in bucket %d: %w", bucket, err)
	}
	e.index.gain(bucket, keys)
	return e.boxesIn(ctx, bucket, say)
}

// boxesIn has the outboxes of a bucket looked at that may hold something: where there are several
// channels, a docket that one of them has told of no longer leads to those of the others.
func (e *Engine) boxesIn(ctx context.Context, bucket int, say *rate.Sometimes) error {
	if len(e.Channels) < 2 {
		return nil
	}
	boxes, err := answered(ctx, e, bucket, say, func() ([]string, error) { return outbox.Registered(ctx, e.Ledger, bucket) })
	if err != nil {
		return fmt.Errorf("reading the outboxes of bucket %d: %w", bucket, err)
	}
	for _, box := range boxes {
		e.boxes.add(box)
	}
	return nil
}

// openIn lists a bucket's open dockets.
func (e *Engine) openIn(ctx context.Context, bucket int, say *rate.Sometimes) ([]docket.Key, error) {
	return answered(ctx, e, bucket, say, func() ([]docket.Key, error) { return e.Ledger.OpenInBucket(ctx, bucket) })
}

// answered asks the ledger for what lies in a bucket. A ledger that others share comes back: it is
// waited for, and nothing of the bucket is handled meanwhile.
func answered[T any](ctx context.Context, e *Engine, bucket int, say *rate.Sometimes, ask func() ([]T, error)) ([]T, error) {
	for {
		found, err := ask()
		if err == nil || e.Alone || ctx.Err() != nil {
			return found, err
		}
		say.Do(func() { e.Log.Error("the ledger does not answer; trying again", "bucket", bucket, "err", err) })
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(time.Second):
		}
	}
}

// Lost implements bus.Share. What is under way is carried through first: its time is bounded.
func (e *Engine) Lost(ctx context.Context, buckets []int) {
	lost := map[int]bool{}
	for _, b := range buckets {
		lost[b] = true
	}
	e.index.lose(lost)
	e.boxes.lose(lost)
	// A round that began before is waited for: after it nothing more of theirs is started.
	for !e.between() || !e.index.rests(lost) || !e.boxes.still(lost) {
		select {
		case <-ctx.Done():
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// between reports whether no round is under way.
func (e *Engine) between() bool {
	free := e.rounds.TryLock()
	if free {
		e.rounds.Unlock()
	}
	return free
}

// gain notes that a bucket is ours, with what is open in it: all of it is due, and may have an
// open outcome until it was looked at.
func (x *index) gain(bucket int, open []docket.Key) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.owned[bucket] = true
	for _, key := range open {
		x.openLocked(key, x.now())
		x.doubt[key] = true
	}
}

// began notes that what is open in our buckets is known. A cluster of which nothing comes from
// now on is silent.
func (x *index) began(clusters []v1.Cluster, now time.Time) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.whole = true
	for _, c := range clusters {
		if _, known := x.audit[c.UID]; c.UID != "" && !known && x.owned[docket.BucketOf(c.UID)] {
			x.audit[c.UID] = audit{name: c.Name, at: now}
		}
	}
}

// owns reports whether a bucket is ours.
func (x *index) owns(bucket int) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.owned[bucket]
}

// lose forgets all that lies in buckets; what is under way is still known as busy.
func (x *index) lose(buckets map[int]bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.whole = false
	for b := range buckets {
		x.owned[b] = false
	}
	for cluster := range x.audit {
		if !x.owned[docket.BucketOf(cluster)] {
			delete(x.audit, cluster)
			delete(x.stale, cluster) // who has it now looks
		}
	}
	for key := range x.dueAt {
		if !x.owned[key.Bucket()] {
			x.closeLocked(key)
			delete(x.claimed, key) // the claim waits in the budget for who has the docket now
		}
	}
}

// rests reports whether no docket of any of the buckets is under way.
func (x *index) rests(buckets map[int]bool) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	for key, begun := range x.busy {
		if begun && buckets[key.Bucket()] {
			return false
		}
	}
	return true
}
