package action

import (
	"context"
	"sync"
	"time"

	"github.com/k8guard/k8guard/internal/docket"
)

// rest is how long the same trouble is only counted after it was said: on a full disk every
// docket has it, each second.
const rest = time.Minute

// sparse counts what is not said again yet. It may be used from many goroutines.
type sparse struct {
	mu     sync.Mutex // guards those below, by what is said: texts of ours, a bounded list
	said   map[string]time.Time
	unsaid map[string]int
}

func newSparse() *sparse {
	return &sparse{said: map[string]time.Time{}, unsaid: map[string]int{}}
}

// ask reports whether it is to be said now, and how often it came about since the last time.
func (s *sparse) ask(what string, now time.Time) (count int, say bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unsaid[what]++
	if at, ok := s.said[what]; ok && now.Sub(at) < rest && !now.Before(at) {
		return 0, false
	}
	count = s.unsaid[what]
	s.said[what], s.unsaid[what] = now, 0
	return count, true
}

// putOff says which docket was put off, by its root's name where the ledger can tell it.
func (e *Engine) putOff(ctx context.Context, key docket.Key, err error) {
	count, say := e.sparse.ask("docket", e.Now())
	if !say {
		return
	}
	name := key.String()
	if d, err := e.Ledger.Load(ctx, key); err == nil && d.Root.Kind != "" {
		name = d.Root.String()
	}
	e.Log.Error("a docket is put off, and tried again", "root", name, "times", count, "err", err)
}
