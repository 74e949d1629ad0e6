package action

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/k8guard/k8guard/internal/docket"
)

// boxes is what action keeps in memory of outboxes and their notices. It is rebuilt after a
// restart, too.
type boxes struct {
	now func() time.Time

	mu         sync.Mutex           // guards all below
	lookAt     map[string]time.Time // outboxes that may hold something, and when to look
	registered map[string]bool      // outboxes that the ledger knows to be registered
	again      map[string]bool      // notices that are due again
	sending    map[string]string    // the outbox of each notice in a sender's hands
}

func newBoxes(now func() time.Time) *boxes {
	return &boxes{now: now, lookAt: map[string]time.Time{}, registered: map[string]bool{}, again: map[string]bool{}, sending: map[string]string{}}
}

// add has an outbox looked at now.
func (b *boxes) add(box string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lookAt[box] = time.Time{}
}

// rest leaves an outbox alone for a while, unless somebody files into it.
func (b *boxes) rest(box string, until time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, there := b.lookAt[box]; there {
		b.lookAt[box] = until
	}
}

func (b *boxes) drop(box string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.lookAt, box)
}

// list returns the outboxes to look at now.
func (b *boxes) list() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := make([]string, 0, len(b.lookAt))
	for box, at := range b.lookAt {
		if !b.now().Before(at) {
			out = append(out, box)
		}
	}
	return out
}

// unregistered reports whether this process has not noted an outbox in the ledger yet.
func (b *boxes) unregistered(box string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return !b.registered[box]
}

func (b *boxes) register(box string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.registered[box] = true
}

// sendAgain notes that a notice is due again.
func (b *boxes) sendAgain(notice string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.again[notice] = true
}

// takeAgain returns those and forgets them: who told of one tells again.
func (b *boxes) takeAgain() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := slices.Collect(maps.Keys(b.again))
	clear(b.again)
	return all
}

// startSending claims a notice of an outbox for one sender.
func (b *boxes) startSending(notice, box string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.sending[notice] != "" {
		return false
	}
	b.sending[notice] = box
	return true
}

func (b *boxes) isSending(notice string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.sending[notice] != ""
}

func (b *boxes) stopSending(notice string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.sending, notice)
}

// lose forgets the outboxes of buckets; what is being sent is still known.
func (b *boxes) lose(buckets map[int]bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for box := range b.lookAt {
		if buckets[docket.BucketOf(box)] {
			delete(b.lookAt, box)
		}
	}
}

// still reports whether nothing is being sent out of any of the buckets.
func (b *boxes) still(buckets map[int]bool) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, box := range b.sending {
		if buckets[docket.BucketOf(box)] {
			return false
		}
	}
	return true
}
