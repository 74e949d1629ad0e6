package action

import (
	"time"

	"github.com/k8guard/k8guard/internal/docket"
)

// The pauses after what failed on a cluster: each is twice as long as the one before.
const (
	firstPause   = time.Second
	longestPause = 5 * time.Minute
)

// stumble is how often work on a docket failed in a row, and until when it rests.
type stumble struct {
	times int
	until time.Time
}

// ended notes how work on a docket ended: it is looked at again at once, or after a pause.
func (x *index) ended(key docket.Key, err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if _, open := x.dueAt[key]; !open {
		return
	}
	if err == nil {
		delete(x.stumbled, key)
		x.wakeLocked(key)
		return
	}
	s := x.stumbled[key]
	s.until = x.now().Add(min(longestPause, firstPause<<min(s.times, 10)))
	s.times++
	x.stumbled[key] = s
	x.openLocked(key, s.until)
}

// unpause opens a docket for which a person ordered something: the pauses begin anew, and the
// first is over.
func (x *index) unpause(key docket.Key) {
	x.mu.Lock()
	defer x.mu.Unlock()
	delete(x.stumbled, key)
	x.openLocked(key, x.now())
}

// pausedUntil is when the cluster may be asked again for a docket.
func (x *index) pausedUntil(key docket.Key) time.Time {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.stumbled[key].until
}
