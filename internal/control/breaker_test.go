package control_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/control"
	"github.com/k8guard/k8guard/internal/ledger"
)

// states are which of the breakers hold: of east, west, and of any.
func states(t *testing.T, c *control.Control) string {
	t.Helper()
	all, err := c.Breakers(t.Context())
	must(t, err)
	sum, err := c.Breaker(t.Context())
	must(t, err)
	text := ""
	for _, name := range []string{"east", "west"} {
		if by := all.Of(v1.Cluster{Name: name, UID: name + "-uid"}).Open; by != all.On(name).Open {
			t.Errorf("%s: by UID %v, by name %v", name, by, !by)
		} else if by {
			text += name + " "
		}
	}
	if sum.Open != (text != "") {
		t.Errorf("%q, and in one %+v", text, sum)
	}
	return text
}

func closing(t *testing.T, c *control.Control, cluster, says string) {
	t.Helper()
	err := c.Close(t.Context(), cluster, "ada", "seen to")
	if (err == nil) != (says == "") || err != nil && !strings.Contains(err.Error(), says) {
		t.Errorf("closing %q: %v, want %q", cluster, err, says)
	}
}

func TestEachClusterHasItsBreaker(t *testing.T) {
	clock := newClock()
	c := control.New(open(t, t.TempDir()), clock.now)
	east, west := v1.Cluster{Name: "east", UID: "east-uid"}, v1.Cluster{Name: "west", UID: "west-uid"}
	must(t, c.Trip(t.Context(), east, "two undos"))
	if got := states(t, c); got != "east " {
		t.Errorf("open: %q", got)
	}
	closing(t, c, "west", "that of east")
	clock.at = clock.at.Add(time.Minute)
	must(t, c.Trip(t.Context(), west, "a clock"))
	if b, err := c.Breaker(t.Context()); err != nil || b.Reason != "east: two undos; west: a clock" || !b.At.Equal(clock.at.Add(-time.Minute)) {
		t.Errorf("%+v, %v", b, err)
	}
	closing(t, c, "", "east, west are open; say which one with --cluster")
	closing(t, c, "east", "")
	if all, err := c.Breakers(t.Context()); err != nil || all.Clusters["east-uid"].ClosedBy != "ada: seen to" || !all.Clusters["east-uid"].ClosedAt.Equal(clock.at) {
		t.Errorf("who closed it, and when: %+v, %v", all, err)
	}
	if got := states(t, c); got != "west " {
		t.Errorf("open: %q", got)
	}
	closing(t, c, "", "")
	closing(t, c, "", "was not open")
	closing(t, c, "estern", "of cluster estern is not open, nor that of any other")
	if got := states(t, c); got != "" {
		t.Errorf("open: %q", got)
	}
	if log, err := c.Log(t.Context()); err != nil || len(log) != 4 || log[0].Scope != "cluster/west" || log[3].Scope != "cluster/east" {
		t.Errorf("%+v, %v", log, err)
	}
	// A cluster that is called otherwise by now is the same one.
	must(t, c.Trip(t.Context(), east, "again"))
	east.Name = "orient"
	must(t, c.Trip(t.Context(), east, "and again"))
	closing(t, c, "orient", "")
}

// A breaker that an earlier K8Guard opened is every cluster's, until it is closed.
func TestTheBreakerOfBeforeHoldsEveryCluster(t *testing.T) {
	l := open(t, t.TempDir())
	_, err := l.Put(t.Context(), ledger.Record{Key: "control/breaker", Value: []byte(`{"open": true, "reason": "two undos", "at": "2026-03-01T12:00:00Z"}`)})
	must(t, err)
	c := control.New(l, newClock().now)
	must(t, c.Trip(t.Context(), v1.Cluster{Name: "east", UID: "east-uid"}, "later"))
	if got := states(t, c); got != "east west " {
		t.Errorf("open: %q", got)
	}
	closing(t, c, "east", "without --cluster")
	closing(t, c, "", "")
	if got := states(t, c); got != "" {
		t.Errorf("open: %q", got)
	}
}

// Undos of one cluster do not open the breaker of another.
func TestUndosCountForTheirCluster(t *testing.T) {
	c := control.New(open(t, t.TempDir()), newClock().now)
	for _, name := range []string{"east", "west"} {
		must(t, c.CountUndo(t.Context(), v1.Cluster{Name: name, UID: name + "-uid"}, "e-"+name, 2))
	}
	if got := states(t, c); got != "" {
		t.Errorf("open: %q", got)
	}
	must(t, c.CountUndo(t.Context(), v1.Cluster{Name: "west", UID: "west-uid"}, "e-3", 2))
	if got := states(t, c); got != "west " {
		t.Errorf("open: %q", got)
	}
}

// A cluster that was made anew under its name is held by the breaker of the one before.
func TestAClusterMadeAnewIsHeld(t *testing.T) {
	c := control.New(open(t, t.TempDir()), newClock().now)
	must(t, c.Trip(t.Context(), v1.Cluster{Name: "east", UID: "before"}, "the identity changed"))
	all, err := c.Breakers(t.Context())
	must(t, err)
	for cluster, want := range map[v1.Cluster]bool{{Name: "east", UID: "after"}: true, {Name: "renamed", UID: "before"}: true, {Name: "west", UID: "other"}: false} {
		if got := all.Of(cluster); got.Open != want {
			t.Errorf("%+v: %+v, want open %t", cluster, got, want)
		}
	}
}

// Who can write on the bus may invent clusters: however many, a true one's breaker opens, and
// a person can close all.
func TestInventedClustersKeepNoBreakerFromOpening(t *testing.T) {
	l := open(t, t.TempDir())
	c := control.New(l, newClock().now)
	full := control.Breakers{Clusters: map[string]control.ClusterBreaker{}}
	for i := range 1999 {
		full.Clusters[fmt.Sprintf("invented-%d", i)] = control.ClusterBreaker{Name: "east", Breaker: control.Breaker{Open: true}}
	}
	value, err := json.Marshal(full)
	must(t, err)
	_, err = l.Put(t.Context(), ledger.Record{Key: "control/breaker", Value: value})
	must(t, err)
	for i := range 2 {
		must(t, c.Trip(t.Context(), v1.Cluster{Name: "east", UID: fmt.Sprintf("one-more-%d", i)}, strings.Repeat("x", 4000)))
	}
	all, err := c.Breakers(t.Context())
	if must(t, err); !all.Of(v1.Cluster{Name: "west", UID: "true"}).Open || len(all.Clusters) > 2000 {
		t.Errorf("%d breakers, and west is not held", len(all.Clusters))
	}
	closing(t, c, "", "")
	must(t, c.Trip(t.Context(), v1.Cluster{Name: "west", UID: "true"}, "two undos"))
	if all, err = c.Breakers(t.Context()); err != nil || !all.Of(v1.Cluster{Name: "west", UID: "true"}).Open || all.Of(v1.Cluster{Name: "east", UID: "east"}).Open {
		t.Errorf("after a person closed all: %+v, %v", all, err)
	}
}
