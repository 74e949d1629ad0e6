package cassandra_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/ledger/cassandra"
	"github.com/k8guard/k8guard/tools/services"
	"github.com/k8guard/k8guard/tools/services/servicestest"
)

// claims is what writers were told of their writes, by the text of each.
type claims struct {
	mu      sync.Mutex
	acked   map[string]int64 // the version
	denied  map[string]bool
	unknown map[string]bool
	failed  map[string]bool
}

func newClaims() *claims {
	return &claims{acked: map[string]int64{}, denied: map[string]bool{}, unknown: map[string]bool{}, failed: map[string]bool{}}
}

func (c *claims) note(text string, version int64, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case err == nil:
		c.acked[text] = version
	case errors.Is(err, ledger.ErrConflict):
		c.denied[text] = true
	case errors.Is(err, cassandra.ErrUnknown):
		c.unknown[text] = true
	default:
		c.failed[text] = true
	}
}

func (c *claims) count() int { c.mu.Lock(); defer c.mu.Unlock(); return len(c.acked) }

func (c *claims) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return fmt.Sprintf("%d acknowledged, %d denied, %d unknown, %d failed", len(c.acked), len(c.denied), len(c.unknown), len(c.failed))
}

const claimed = 3 // dockets

// write lets writers of two replicas write the same dockets until they are stopped.
func (c *claims) write(t *testing.T, replicas []*cassandra.Store, prefix string) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	for w := range 2 * claimed {
		group.Go(func() {
			l := replicas[w%len(replicas)]
			for n := 0; ctx.Err() == nil; n++ {
				d, err := l.Load(ctx, sample(fmt.Sprint(prefix, w%claimed), docket.Open).Key)
				if err != nil {
					time.Sleep(20 * time.Millisecond)
					continue
				}
				version, text := d.Version, fmt.Sprint(w, "/", n)
				d = sample(fmt.Sprint(prefix, w%claimed), docket.Open)
				d.Version, d.Hash = version, text
				version, err = l.CompareAndSet(context.WithoutCancel(ctx), d, []docket.Entry{entry(text)})
				c.note(text, version, err)
			}
		})
	}
	return func() { cancel(); group.Wait() }
}

// check holds what was told against what is stored: every acknowledged write is there, at
// its version; no denied one is; each version has one winner.
func (c *claims) check(t *testing.T, l *cassandra.Store, prefix string) {
	t.Helper()
	found := map[string]int64{}
	for i := range claimed {
		k := sample(fmt.Sprint(prefix, i), docket.Open).Key
		d, err := l.Load(t.Context(), k)
		if err != nil {
			t.Fatal(err)
		}
		all := texts(t, l, k)
		if int64(len(all)) != d.Version || len(all) > 0 && all[len(all)-1] != d.Hash {
			t.Errorf("%s: version %d with %q, and %d lines of history", k, d.Version, d.Hash, len(all))
		}
		for version, text := range all {
			if found[text] != 0 {
				t.Errorf("%q was stored twice", text)
			}
			found[text] = int64(version) + 1
		}
	}
	for text, version := range c.acked {
		if found[text] != version {
			t.Errorf("%q was acknowledged as version %d and is stored as %d", text, version, found[text])
		}
	}
	for text := range found {
		if c.denied[text] {
			t.Errorf("%q was denied and is stored", text)
		}
		if _, acked := c.acked[text]; !acked && !c.unknown[text] {
			t.Errorf("%q is stored and its writer was told that it failed", text)
		}
	}
}

// settled counts what the ledger says of lost answers.
type settled struct {
	slog.Handler
	mu             sync.Mutex
	stored, denied int
}

func (s *settled) Handle(_ context.Context, r slog.Record) error {
	if r.Message != "the answer to a write was lost" {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "stored" && a.Value.Bool() {
			s.stored++
		} else if a.Key == "stored" {
			s.denied++
		}
		return true
	})
	return nil
}

// lost is how many answers of either kind were lost so far.
func (s *settled) lost() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stored + s.denied
}

func (s *settled) Enabled(context.Context, slog.Level) bool { return true }

func pair(t *testing.T, s *services.Service, count *settled) []*cassandra.Store {
	t.Helper()
	conf := settings(t, s, "contract")
	// Above what the server waits by itself; a paused server exceeds it.
	conf.Timeout, conf.Log = 4*time.Second, slog.New(count)
	return []*cassandra.Store{open(t, conf), open(t, conf)}
}

// often is how often a fault is made: K8GUARD_ROUNDS, if it is set.
func often(t *testing.T, normally int) int {
	t.Helper()
	text := os.Getenv("K8GUARD_ROUNDS")
	if text == "" {
		return normally
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("K8GUARD_ROUNDS: %v", err)
	}
	return n
}

// standstill stops the server for longer than a write waits, with writes under way.
func standstill(t *testing.T, s *services.Service) {
	count := &settled{Handler: slog.DiscardHandler}
	replicas, c := pair(t, s, count), newClaims()
	stop := c.write(t, replicas, "standstill-")
	// Whether the server stands still with a write in its hands is chance.
	for n, wanted := 0, often(t, 1); n < wanted || n < wanted+4 && count.lost() == 0; n++ {
		before := c.count()
		eventually(t, func() error { return more(c, before+10) })
		if err := s.Pause(0); err != nil {
			t.Fatal(err)
		}
		time.Sleep(6 * time.Second)
		if err := s.Resume(0); err != nil {
			t.Fatal(err)
		}
	}
	before := c.count()
	eventually(t, func() error { return more(c, before+10) })
	stop()
	c.check(t, replicas[0], "standstill-")
	t.Logf("%v; of lost answers %d were stored, %d not", c, count.stored, count.denied)
	if count.lost() == 0 {
		t.Error("no answer was lost: the test shows nothing")
	}
}

func more(c *claims, than int) error {
	if n := c.count(); n < than {
		return fmt.Errorf("%d acknowledged, want %d", n, than)
	}
	return nil
}

// kills ends the server with writes under way, and lets it come back.
func kills(t *testing.T, s *services.Service) {
	count := &settled{Handler: slog.DiscardHandler}
	replicas, c := pair(t, s, count), newClaims()
	stop := c.write(t, replicas, "kills-")
	for range often(t, 2) {
		before := c.count()
		eventually(t, func() error { return more(c, before+20) })
		if err := s.Kill(0); err != nil {
			t.Fatal(err)
		}
		if err := replicas[0].Ping(t.Context()); err == nil {
			t.Error("ready without a server")
		}
		if err := s.Restart(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		eventually(t, func() error { return replicas[0].Ping(t.Context()) })
	}
	before := c.count()
	eventually(t, func() error { return more(c, before+20) })
	stop()
	c.check(t, replicas[1], "kills-")
	t.Logf("%v; of lost answers %d were stored, %d not", c, count.stored, count.denied)
}

// Two nodes with a copy each: while one is away nothing is written, and nothing is lost.
func TestOneOfTwoNodesDown(t *testing.T) {
	if os.Getenv("K8GUARD_ROUNDS") == "" {
		t.Skip("set K8GUARD_ROUNDS=1 to start two nodes: it takes a minute")
	}
	s := servicestest.StartWith(t, services.Cassandra, services.Options{Nodes: 2})
	conf := settings(t, s, "two")
	conf.Replication, conf.Timeout = 2, 4*time.Second
	replicas, c := []*cassandra.Store{open(t, conf), open(t, conf)}, newClaims()
	stop := c.write(t, replicas, "two-")
	for range often(t, 1) {
		before := c.count()
		eventually(t, func() error { return more(c, before+20) })
		if err := s.Kill(1); err != nil {
			t.Fatal(err)
		}
		if err := replicas[0].Ping(t.Context()); err == nil {
			t.Error("ready with one of two copies")
		}
		if err := s.Restart(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		eventually(t, func() error { return replicas[0].Ping(t.Context()) })
	}
	before := c.count()
	eventually(t, func() error { return more(c, before+20) })
	stop()
	c.check(t, replicas[1], "two-")
	t.Log(c)
}
