package control_test

import (
	"strings"
	"testing"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/control"
)

func east() v1.Cluster { return v1.Cluster{Name: "east", UID: "east-uid"} }

func accepts(t *testing.T, c *control.Control, cluster, says string) {
	t.Helper()
	err := c.Accept(t.Context(), cluster, "ada", "restored on purpose")
	if (err == nil) != (says == "") || err != nil && !strings.Contains(err.Error(), says) {
		t.Errorf("accepting %q: %v, want %q", cluster, err, says)
	}
}

// What opened for the ledger is closed by who takes the ledger as it is, and by nobody else.
func TestADoubtWantsAPersonWhoAccepts(t *testing.T) {
	c := control.New(open(t, t.TempDir()), newClock().now)
	must(t, c.Trip(t.Context(), east(), control.Advise("two undos", "ask who undid")))
	doubted := func() bool {
		b, err := c.Breakers(t.Context())
		must(t, err)
		return b.Doubted("east")
	}
	accepts(t, c, "east", "without --accept-ledger")
	if doubted() {
		t.Error("any breaker is a doubt")
	}
	for range 3 { // seen by each replica, again and again
		must(t, c.TripLedger(t.Context(), east(), "the ledger fell back", "x/9"))
	}
	if b, err := c.Breaker(t.Context()); err != nil || b.Why() != "two undos; the ledger fell back" || !doubted() {
		t.Errorf("%+v, %v", b, err)
	}
	if log, err := c.Log(t.Context()); err != nil || len(log) != 2 {
		t.Errorf("%+v, %v", log, err)
	}
	closing(t, c, "", "--accept-ledger")
	if !doubted() {
		t.Error("it is closed without a decision")
	}
	accepts(t, c, "", "")
	if doubted() || states(t, c) != "" {
		t.Error("it is still open")
	}
	if shown, err := c.Accepted(t.Context(), "east-uid"); err != nil || shown != "x/9" {
		t.Errorf("accepted %q, %v", shown, err)
	}
	// A later doubt is another one: what was accepted before is no answer to it.
	must(t, c.TripLedger(t.Context(), east(), "the ledger fell back", "x/20"))
	if shown, err := c.Accepted(t.Context(), "east-uid"); err != nil || shown != "" || !doubted() {
		t.Errorf("accepted %q, %v", shown, err)
	}
	must(t, c.TripLedger(t.Context(), east(), "another ledger", "y/1"))
	accepts(t, c, "east", "")
	if shown, err := c.Accepted(t.Context(), "east-uid"); err != nil || shown != "y/1" {
		t.Errorf("accepted %q, %v", shown, err)
	}
	// What else opens the breaker leaves that alone.
	must(t, c.Trip(t.Context(), east(), "a clock"))
	closing(t, c, "east", "")
	if shown, err := c.Accepted(t.Context(), "east-uid"); err != nil || shown != "y/1" {
		t.Errorf("accepted %q, %v", shown, err)
	}
}
