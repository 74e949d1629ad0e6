package cassandra_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"golang.org/x/sync/errgroup"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/ledger/cassandra"
	"github.com/k8guard/k8guard/tools/services"
)

const (
	linearKeys     = 50 // half of them dockets, half records
	linearReplicas = 4
	linearWriters  = 24 // of each replica
	linearWrites   = 5000
	// impatient is how many of 100 callers do not wait for the outcome.
	impatient = 5
)

// history is what all callers saw, by key.
type history struct {
	began  time.Time
	wanted int

	mu     sync.Mutex
	of     [linearKeys][]porcupine.Operation
	counts map[string]int
	writes int // but for those that failed before they were sent
	lost   int // unknown, as the ledger said
}

func (h *history) now() time.Duration { return time.Since(h.began) }

func (h *history) add(key int, c claim, outcome string, call time.Duration) {
	end := h.now()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.of[key] = append(h.of[key], operation(c, outcome, call, end))
	if !c.write {
		return
	}
	h.counts[outcome]++
	if outcome != failed {
		h.writes++
	}
}

// enough says that there are so many writes, a tenth of them of unknown outcome.
func (h *history) enough() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.writes >= h.wanted && h.lost >= h.wanted/10
}

func outcomeOf(err error) string {
	switch {
	case err == nil:
		return stored
	case errors.Is(err, ledger.ErrConflict):
		return denied
	case errors.Is(err, cassandra.ErrUnknown):
		return unknown
	}
	return failed
}

// linear lets replicas write through a net that loses, delays and cuts, and wants what their
// callers were told to be the story of registers that are changed by compare-and-set.
func linear(t *testing.T, s *services.Service) {
	seed := linearSeed(t)
	count := &settled{Handler: slog.DiscardHandler}
	calm := settings(t, s, "linear")
	honest := open(t, calm) // makes the tables, and asks the server itself
	conf := calm
	// Below what the server waits by itself: it works on what its callers have given up.
	conf.Timeout, conf.Log = 400*time.Millisecond, slog.New(count)
	var replicas []*cassandra.Store
	var nets []*proxy // each replica has its own: what one is cut from, others go on with
	for i := range uint64(linearReplicas) {
		nets = append(nets, newProxy(t, s.Addresses()[0], seed+i))
		conf.Hosts = []string{nets[i].address()}
		replicas = append(replicas, openSoon(t, conf))
	}
	h := &history{began: time.Now(), wanted: linearWanted(t), counts: map[string]int{}}
	for _, net := range nets {
		net.fault(odds{dropRequest: 15, dropAnswer: 25, lateRequest: 40, lateAnswer: 10, cut: 1, deaf: 4, latest: 1500 * time.Millisecond, deafFor: 1600 * time.Millisecond})
	}
	h.write(t, replicas, seed)
	took := h.now()
	for _, net := range nets {
		net.calm(t) // a denied write that comes now must still not be stored
	}
	t.Logf("seed %d; %d writes in %v: %v, %d unknown to the ledger itself; of lost answers %d were stored, %d not; the nets: %v",
		seed, h.writes, took.Round(time.Second), h.counts, h.lost, count.stored, count.denied, nets)
	h.last(t, honest)
	h.check(t)
	if h.lost < h.wanted/10 || h.writes < h.wanted {
		t.Errorf("%d writes, %d of unknown outcome: the test shows too little", h.writes, h.lost)
	}
}

// write writes until there is enough, and until what was given up has ended.
func (h *history) write(t *testing.T, replicas []*cassandra.Store, seed uint64) {
	ctx, cancel := context.WithTimeout(t.Context(), max(6*time.Minute, time.Duration(h.wanted)*100*time.Millisecond))
	defer cancel()
	var group sync.WaitGroup
	for i, l := range replicas {
		for w := range linearWriters {
			group.Go(func() {
				a := &writer{h: h, l: l, random: rand.New(rand.NewPCG(seed, uint64(i*linearWriters+w))), name: fmt.Sprint(i, "/", w)}
				for n := 0; ctx.Err() == nil && !h.enough(); n++ {
					a.turn(context.WithoutCancel(ctx), n)
				}
				a.left.Wait()
			})
		}
	}
	group.Wait()
}

// writer is one caller, which does one thing after the other.
type writer struct {
	h      *history
	l      *cassandra.Store
	random *rand.Rand
	name   string
	left   sync.WaitGroup // calls that it does not wait for
}

// turn reads a docket or record, and writes upon what it read.
func (w *writer) turn(ctx context.Context, n int) {
	// Low keys are fought over; on high ones a late request finds what it was sent upon.
	key, text := w.random.IntN(1+w.random.IntN(linearKeys)), fmt.Sprint(w.name, "/", n)
	call := w.h.now()
	is, err := look(ctx, w.l, key)
	if err != nil {
		return
	}
	w.h.add(key, claim{version: is.version, text: is.text}, stored, call)
	closes := w.random.IntN(8) == 0
	c := claim{write: true, version: is.version, text: text}
	call = w.h.now()
	if w.random.IntN(100) >= impatient {
		w.told(key, c, w.store(ctx, key, c, closes), call)
		return
	}
	// This caller goes away: what became of it then, nobody is told.
	ctx, cancel := context.WithTimeout(ctx, time.Duration(w.random.IntN(50))*time.Millisecond)
	w.h.add(key, c, unknown, call)
	w.left.Go(func() { defer cancel(); _ = w.store(ctx, key, c, closes) })
}

func (w *writer) told(key int, c claim, err error, call time.Duration) {
	outcome := outcomeOf(err)
	w.h.add(key, c, outcome, call)
	if outcome == unknown {
		w.h.mu.Lock()
		defer w.h.mu.Unlock()
		w.h.lost++
	}
}

func linearDocket(key int) docket.Docket { return sample(fmt.Sprint("linear-", key), docket.Open) }
func linearRecord(key int) string        { return fmt.Sprint("linear-", key) }

// look reads the docket, or of an odd key the record.
func look(ctx context.Context, l *cassandra.Store, key int) (cell, error) {
	if key%2 == 1 {
		r, err := l.Get(ctx, linearRecord(key))
		return cell{r.Version, string(r.Value)}, err
	}
	d, err := l.Load(ctx, linearDocket(key).Key)
	return cell{d.Version, d.Hash}, err
}

func (w *writer) store(ctx context.Context, key int, c claim, closes bool) error {
	if key%2 == 1 {
		_, err := w.l.Put(ctx, ledger.Record{Key: linearRecord(key), Version: c.version, Value: []byte(c.text)})
		return err
	}
	d := linearDocket(key)
	d.Version, d.Hash = c.version, c.text
	if closes {
		d.Cases[0].State = docket.Resolved
	}
	_, err := w.l.CompareAndSet(ctx, d, []docket.Entry{entry(c.text)})
	return err
}

// last reads what is left of it all, and holds each docket against its own history.
func (h *history) last(t *testing.T, l *cassandra.Store) {
	t.Helper()
	for key := range h.of {
		call := h.now()
		is, err := look(t.Context(), l, key)
		if err != nil {
			t.Fatal(err)
		}
		h.add(key, claim{version: is.version, text: is.text}, stored, call)
		if key%2 == 1 {
			continue
		}
		all := texts(t, l, linearDocket(key).Key)
		if int64(len(all)) != is.version || len(all) > 0 && all[len(all)-1] != is.text {
			t.Errorf("docket %d has version %d by %q, and %d lines of history", key, is.version, is.text, len(all))
		}
	}
}

func (h *history) check(t *testing.T) {
	t.Helper()
	began := time.Now()
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for key, all := range h.of {
		group.Go(func() error {
			if got := porcupine.CheckOperationsTimeout(register(), story(all), 3*time.Minute); got != porcupine.Ok {
				t.Errorf("the %d operations on key %d are no story of a register: %v", len(all), key, got)
			}
			return nil
		})
	}
	_ = group.Wait()
	t.Logf("checked in %v", time.Since(began).Round(time.Millisecond))
}

// openSoon opens a store whose short timeout the first connection may exceed.
func openSoon(t *testing.T, s cassandra.Settings) *cassandra.Store {
	t.Helper()
	var l *cassandra.Store
	eventually(t, func() (err error) {
		l, err = cassandra.Open(t.Context(), s)
		return err
	})
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// linearWanted is how many writes there shall be: K8GUARD_CLAIMS, if it is set.
func linearWanted(t *testing.T) int {
	t.Helper()
	text := os.Getenv("K8GUARD_CLAIMS")
	if text == "" {
		return linearWrites
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("K8GUARD_CLAIMS=%q: write a number of writes", text)
	}
	return n
}

// linearSeed throws the same dice again with K8GUARD_SEED; the timing stays chance.
func linearSeed(t *testing.T) uint64 {
	t.Helper()
	text := os.Getenv("K8GUARD_SEED")
	if text == "" {
		return rand.Uint64()
	}
	seed, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("K8GUARD_SEED: %v", err)
	}
	return seed
}
