package control_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/control"
	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/ledger/sqlite"
)

// clock is a time that only the test moves.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func newClock() *clock { return &clock{time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)} }

func open(t *testing.T, dir string) ledger.Ledger {
	t.Helper()
	l, err := sqlite.Open(t.Context(), filepath.Join(dir, "ledger.db"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func frozen(t *testing.T, c *control.Control, cluster string, rules ...string) string {
	t.Helper()
	why, err := c.Frozen(t.Context(), cluster, rules...)
	if err != nil {
		t.Fatal(err)
	}
	return why
}

func TestFreezeHoldsItsScopeOnly(t *testing.T) {
	for _, test := range []struct {
		scope             string
		prod, test, other bool // prod with IMAGE_REPO, test with IMAGE_REPO, prod with other rules
	}{
		{"global", true, true, true},
		{"cluster/prod", true, false, true},
		{"rule/IMAGE_REPO", true, true, false},
		{"rule/IMAGE", false, false, false},
		{"cluster/pro", false, false, false},
		{"cluster/IMAGE_REPO", false, false, false},
		{"rule/prod", false, false, false},
	} {
		c := control.New(open(t, t.TempDir()), newClock().now)
		if err := c.Freeze(t.Context(), test.scope, "ada", "incident"); err != nil {
			t.Fatal(err)
		}
		got := [3]bool{frozen(t, c, "prod", "OTHER", "IMAGE_REPO") != "", frozen(t, c, "test", "IMAGE_REPO") != "",
			frozen(t, c, "prod", "OTHER", "MORE") != ""}
		if want := [3]bool{test.prod, test.test, test.other}; got != want {
			t.Errorf("%s: %v, want %v", test.scope, got, want)
		}
		if err := c.Unfreeze(t.Context(), test.scope); err != nil {
			t.Error(err)
		}
		if why := frozen(t, c, "prod", "IMAGE_REPO"); why != "" {
			t.Errorf("%s was lifted, still frozen: %s", test.scope, why)
		}
	}
}

func TestFreezeRefusesWhatItCannotHold(t *testing.T) {
	c := control.New(open(t, t.TempDir()), newClock().now)
	for _, scope := range []string{"", "globe", "global/", "cluster", "cluster/", "rule/", "namespace/shop", "/x"} {
		if err := c.Freeze(t.Context(), scope, "ada", "x"); err == nil || !strings.Contains(err.Error(), "cluster/NAME") {
			t.Errorf("%q: %v, want an error that says what to write", scope, err)
		}
	}
	if list, err := c.Freezes(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("%v, %v: want nothing frozen", list, err)
	}
}

func TestFreezeKeepsItsFirstReasonOverARestart(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	c := control.New(l, newClock().now)
	for _, by := range []string{"ada", "bob"} {
		if err := c.Freeze(t.Context(), "global", by, "reason of "+by); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	c = control.New(open(t, dir), newClock().now)
	if list, err := c.Freezes(t.Context()); err != nil || frozen(t, c, "any") != "global" || len(list) != 1 || list[0].By != "ada" || list[0].Reason != "reason of ada" {
		t.Errorf("frozen: %v, %v", list, err)
	}
	if err := c.Unfreeze(t.Context(), "rule/X"); err == nil || !strings.Contains(err.Error(), "global") {
		t.Errorf("lifting what is not frozen: %v, want an error that lists what is", err)
	}
}

func TestBreakerLatches(t *testing.T) {
	dir, clock := t.TempDir(), newClock()
	l := open(t, dir)
	c := control.New(l, clock.now)
	if err := c.Close(t.Context(), "", "ada", "why not"); err == nil {
		t.Error("closed a breaker that is closed")
	}
	for _, reason := range []string{"first", "second"} {
		if err := c.Trip(t.Context(), v1.Cluster{UID: "k"}, reason); err != nil {
			t.Fatal(err)
		}
	}
	clock.at = clock.at.Add(1000 * time.Hour)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	c = control.New(open(t, dir), clock.now)
	expect(t, c, true, "first")
	for _, bad := range [][2]string{{"", "reason"}, {"ada", ""}} {
		if err := c.Close(t.Context(), "", bad[0], bad[1]); err == nil {
			t.Errorf("closed by %q with reason %q", bad[0], bad[1])
		}
	}
	expect(t, c, true, "first")
	if err := c.Close(t.Context(), "", "ada", "seen to"); err != nil {
		t.Fatal(err)
	}
	expect(t, c, false, "first")
	if err := c.Trip(t.Context(), v1.Cluster{UID: "k"}, "third"); err != nil {
		t.Fatal(err)
	}
	expect(t, c, true, "third")
}

func expect(t *testing.T, c *control.Control, open bool, reason string) {
	t.Helper()
	if b, err := c.Breaker(t.Context()); err != nil || b.Open != open || b.Reason != reason {
		t.Errorf("breaker %+v, %v; want open %v, reason %q", b, err, open, reason)
	}
}

func TestUndosTripTheBreaker(t *testing.T) {
	for _, test := range []struct {
		name  string
		limit int
		pause time.Duration
		undos int
		want  bool
	}{
		{"two within the hour", 2, 59 * time.Minute, 2, true},
		{"two, an hour apart", 2, 61 * time.Minute, 2, false},
		{"many, an hour apart", 2, 61 * time.Minute, 9, false},
		{"one below the limit", 4, time.Minute, 3, false},
		{"at the limit", 4, time.Minute, 4, true},
		{"no limit", 0, time.Minute, 9, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			clock := newClock()
			c := control.New(open(t, t.TempDir()), clock.now)
			for n := range test.undos {
				if err := c.CountUndo(t.Context(), v1.Cluster{UID: "k"}, fmt.Sprint("e-", n), test.limit); err != nil {
					t.Fatal(err)
				}
				clock.at = clock.at.Add(test.pause)
			}
			if b, err := c.Breaker(t.Context()); err != nil || b.Open != test.want {
				t.Errorf("breaker %+v, %v; want open %v", b, err, test.want)
			}
		})
	}
}

// A kill after the count lets the same undo be counted again: it stays one, and a breaker
// that the kill kept closed opens then.
func TestAnUndoCountsOnce(t *testing.T) {
	clock := newClock()
	c := control.New(open(t, t.TempDir()), clock.now)
	count := func(id string, limit int, want bool) {
		t.Helper()
		if err := c.CountUndo(t.Context(), v1.Cluster{UID: "k"}, id, limit); err != nil {
			t.Fatal(err)
		}
		if b, err := c.Breaker(t.Context()); err != nil || b.Open != want {
			t.Fatalf("%s: breaker %+v, %v; want open %v", id, b, err, want)
		}
	}
	for range 3 {
		count("e-1", 2, false)
		clock.at = clock.at.Add(time.Minute)
	}
	count("e-2", 0, false) // counted, and killed before it tripped
	count("e-2", 2, true)
	if err := c.Close(t.Context(), "", "ada", "seen to"); err != nil {
		t.Fatal(err)
	}
	clock.at = clock.at.Add(2 * time.Hour)
	count("e-3", 2, false)
}
