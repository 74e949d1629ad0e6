package action

import (
	"slices"
	"sync"
	"time"

	"github.com/k8guard/k8guard/internal/docket"
)

// index is what action keeps in memory: which dockets are open, when each is due, when it
// was sighted last, and what is under way. All of it is rebuilt after a restart.
type index struct {
	now    func() time.Time
	resync time.Duration

	mu       sync.Mutex // guards all below
	dueAt    map[docket.Key]time.Time
	byBucket map[int]map[docket.Key]bool
	alias    map[docket.Key]string // the UID under which a root came back
	opened   map[docket.Key]uint64 // the number of a docket's newest opening
	n        uint64                // openings, of all dockets
	claimed  map[docket.Key]bool   // dockets that may have a claim on the budget
	hash     map[docket.Key]string
	seen     map[docket.Key]time.Time
	busy     map[docket.Key]bool // in a worker's hands; true once it has begun, and no longer waits for its turn
	stumbled map[docket.Key]stumble
	doubt    map[docket.Key]bool // dockets that may have an act or undo with an open outcome
	owned    [docket.Buckets]bool
	whole    bool                 // what is open in the owned buckets is known
	leaders  map[string]leader    // by cluster UID
	audit    map[string]audit     // by cluster UID: of its newest inventory
	stale    map[string]staleness // by cluster UID, where looks see that its audit is not whole
}

func newIndex(now func() time.Time, resync time.Duration) *index {
	return &index{now: now, resync: resync, dueAt: map[docket.Key]time.Time{}, byBucket: map[int]map[docket.Key]bool{},
		alias: map[docket.Key]string{}, opened: map[docket.Key]uint64{}, claimed: map[docket.Key]bool{},
		hash: map[docket.Key]string{}, seen: map[docket.Key]time.Time{}, busy: map[docket.Key]bool{}, stumbled: map[docket.Key]stumble{}, doubt: map[docket.Key]bool{},
		leaders: map[string]leader{}, audit: map[string]audit{}, stale: map[string]staleness{}}
}

// open notes that a docket wants work at a time.
func (x *index) open(key docket.Key, at time.Time) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.openLocked(key, at)
}

func (x *index) openLocked(key docket.Key, at time.Time) {
	x.dueAt[key] = at
	x.countLocked(key)
	b := x.bucketLocked(key)
	if x.byBucket[b] == nil {
		x.byBucket[b] = map[docket.Key]bool{}
	}
	x.byBucket[b][key] = true
}

// countLocked gives each opening a number of its own, also after the docket was forgotten.
func (x *index) countLocked(key docket.Key) {
	x.n++
	x.opened[key] = x.n
}

// putOff makes a docket due later, unless it was opened or woken since: what woke it was
// perhaps not seen by who puts it off.
func (x *index) putOff(key docket.Key, at time.Time, since uint64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.opened[key] == since {
		x.dueAt[key] = at
	}
}

func (x *index) wakeLocked(key docket.Key) {
	if _, ok := x.dueAt[key]; ok {
		x.dueAt[key] = x.now()
		x.countLocked(key)
	}
}

// size is how many dockets are open.
func (x *index) size() int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return len(x.dueAt)
}

// close forgets a docket.
func (x *index) close(key docket.Key) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.closeLocked(key)
}

// closeUnless forgets a docket, unless it was opened again since.
func (x *index) closeUnless(key docket.Key, since uint64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.opened[key] == since {
		x.closeLocked(key)
	}
}

func (x *index) closeLocked(key docket.Key) {
	delete(x.byBucket[x.bucketLocked(key)], key)
	delete(x.dueAt, key)
	delete(x.hash, key)
	delete(x.seen, key)
	delete(x.alias, key)
	delete(x.opened, key)
	delete(x.doubt, key)
	delete(x.stumbled, key)
}

func (x *index) openings(key docket.Key) uint64 {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.opened[key]
}

// follow notes under which UID a root is alive: inventories speak of that one.
func (x *index) follow(key docket.Key, aliases []string) {
	if len(aliases) == 0 {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	_, open := x.dueAt[key]
	delete(x.byBucket[x.bucketLocked(key)], key)
	x.alias[key] = aliases[len(aliases)-1]
	if b := x.bucketLocked(key); open {
		if x.byBucket[b] == nil {
			x.byBucket[b] = map[docket.Key]bool{}
		}
		x.byBucket[b][key] = true
	}
}

func (x *index) uidLocked(key docket.Key) string {
	if uid := x.alias[key]; uid != "" {
		return uid
	}
	return key.Root
}

func (x *index) bucketLocked(key docket.Key) int {
	return docket.Key{Cluster: key.Cluster, Root: x.uidLocked(key)}.Bucket()
}

// claim notes that a docket may have a claim; mayClaim says whether it may, unclaim that it has none.
func (x *index) claim(key docket.Key) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.claimed[key] = true
}

func (x *index) mayClaim(key docket.Key) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.claimed[key]
}

func (x *index) unclaim(key docket.Key) {
	x.mu.Lock()
	defer x.mu.Unlock()
	delete(x.claimed, key)
}

// wake makes a docket due now, if it is open.
func (x *index) wake(key docket.Key) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.wakeLocked(key)
}

// portion bounds what one round looks at: mail and the budget's round must not wait for
// thousands that came due at once.
const portion = 500

// due returns the open dockets whose time has come and that nobody works on; of more than a
// portion, those that are due longest.
func (x *index) due(now time.Time) []docket.Key {
	x.mu.Lock()
	defer x.mu.Unlock()
	var keys []docket.Key
	for key, at := range x.dueAt {
		if _, busy := x.busy[key]; !busy && !now.Before(at) {
			keys = append(keys, key)
		}
	}
	if len(keys) > portion {
		slices.SortFunc(keys, func(a, b docket.Key) int { return x.dueAt[a].Compare(x.dueAt[b]) })
		keys = keys[:portion]
	}
	return keys
}

// overdue counts the open dockets whose time has come and that nobody works on.
func (x *index) overdue(now time.Time) (n int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for key, at := range x.dueAt {
		if _, busy := x.busy[key]; !busy && !now.Before(at) {
			n++
		}
	}
	return n
}

// known is what the index knows of an open docket.
type known struct{ uid, hash string }

// inBucket returns the open dockets whose living UID falls into a bucket.
func (x *index) inBucket(bucket int) map[docket.Key]known {
	x.mu.Lock()
	defer x.mu.Unlock()
	out := make(map[docket.Key]known, len(x.byBucket[bucket]))
	for key := range x.byBucket[bucket] {
		out[key] = known{x.uidLocked(key), x.hash[key]}
	}
	return out
}

// wakeAll makes every open docket due now.
func (x *index) wakeAll() {
	x.mu.Lock()
	defer x.mu.Unlock()
	for key := range x.dueAt {
		x.wakeLocked(key)
	}
}

// sight notes that a docket's verdict was this one when it was said. What lay on the bus for
// long makes nothing fresh. One that was stale is due.
func (x *index) sight(key docket.Key, hash string, said time.Time) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if now := x.now(); said.IsZero() || said.After(now) {
		said = now // clocks differ a little
	}
	if said.Before(x.seen[key]) {
		return
	}
	was := x.freshLocked(key)
	x.hash[key], x.seen[key] = hash, said
	if !was && x.freshLocked(key) {
		x.wakeLocked(key)
	}
}

func (x *index) freshLocked(key docket.Key) bool {
	at, ok := x.seen[key]
	return ok && x.now().Sub(at) <= 2*x.resync
}

func (x *index) sighted(key docket.Key) (fresh bool, judged int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.freshLocked(key), x.audit[key.Cluster].judged
}

// take claims a docket for one worker; false when another has it.
func (x *index) take(key docket.Key) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if _, busy := x.busy[key]; busy {
		return false
	}
	x.busy[key] = false
	return true
}

// begin reports whether a taken docket is still ours: from now on who takes its bucket over
// waits for it.
func (x *index) begin(key docket.Key) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	ours := x.owned[key.Bucket()]
	x.busy[key] = ours
	return ours
}

// underWay is how many dockets of a cluster are in workers' hands.
func (x *index) underWay(cluster string) int {
	x.mu.Lock()
	defer x.mu.Unlock()
	n := 0
	for key := range x.busy {
		if key.Cluster == cluster {
			n++
		}
	}
	return n
}

func (x *index) release(key docket.Key) {
	x.mu.Lock()
	defer x.mu.Unlock()
	delete(x.busy, key)
}

// doubtful notes that a docket may have an act or undo whose outcome is open.
func (x *index) doubtful(key docket.Key) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.doubt[key] = true
}

// settled notes that it has none.
func (x *index) settled(key docket.Key) {
	x.mu.Lock()
	defer x.mu.Unlock()
	delete(x.doubt, key)
}

// idle reports whether no act or undo is under way, and none has an open outcome.
func (x *index) idle() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.whole && len(x.busy) == 0 && len(x.doubt) == 0
}
