package report

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/k8guard/k8guard/internal/login"
)

const (
	// readLimit ends a question that the ledger cannot answer in time, so that one reader's
	// words do not keep it from the others; exportLimit ends an export.
	readLimit   = 20 * time.Second
	exportLimit = 5 * time.Minute
	// atMost is how many questions one reader may have open, atMostExports how many of them
	// may be exports, and allExports how many exports all readers together.
	atMost        = 8
	atMostExports = 2
	allExports    = 8
)

// crowd counts what is open, by reader. Where there is no login nobody is counted: who reaches
// the address is K8Guard's own user.
type crowd struct {
	mu      sync.Mutex
	open    map[string]int
	exports map[string]int
	all     int // exports of everyone
}

func newCrowd() *crowd { return &crowd{open: map[string]int{}, exports: map[string]int{}} }

// enter counts a question, unless its reader has as many open as they may.
func (c *crowd) enter(who string, export bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open[who] >= atMost || export && (c.exports[who] >= atMostExports || c.all >= allExports) {
		return false
	}
	c.open[who]++
	if export {
		c.exports[who]++
		c.all++
	}
	return true
}

func (c *crowd) leave(who string, export bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open[who]--; c.open[who] == 0 {
		delete(c.open, who)
	}
	if export {
		c.all--
		if c.exports[who]--; c.exports[who] == 0 {
			delete(c.exports, who)
		}
	}
}

// limited bounds how long a question may take, and how many one reader may have open. A
// change is not held up: a freeze waits for nobody's exports.
func limited(next http.Handler) http.Handler {
	crowd := newCrowd()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			next.ServeHTTP(w, r)
			return
		}
		limit, export := readLimit, strings.HasSuffix(r.URL.Path, ".csv")
		if export {
			limit = exportLimit
		}
		if reader := login.ReaderOf(r.Context()); reader != nil {
			who := reader.Key()
			if !crowd.enter(who, export) {
				w.Header().Set("Retry-After", "1")
				problem(w, http.StatusTooManyRequests, "you have too many questions open; wait for their answers")
				return
			}
			defer crowd.leave(who, export)
		}
		ctx, cancel := context.WithTimeout(r.Context(), limit)
		defer cancel()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}
