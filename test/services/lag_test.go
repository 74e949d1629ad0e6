package services

import (
	"os"
	"testing"
	"time"

	"github.com/k8guard/k8guard/tools/services"
	"github.com/k8guard/k8guard/tools/services/servicestest"
)

// lagRoots change while Kafka is away.
const lagRoots = 10_000

// TestLagAfterAnOutage kills Kafka for as long as K8GUARD_OUTAGE says, lets every root change
// meanwhile, and measures how long after Kafka's return action has heard of all of them:
//
//	K8GUARD_OUTAGE=1m go test ./test/services -run TestLag -v -timeout 60m
func TestLagAfterAnOutage(t *testing.T) {
	text := os.Getenv("K8GUARD_OUTAGE")
	if text == "" {
		t.Skip("set K8GUARD_OUTAGE=1m to stop Kafka for so long: it takes minutes")
	}
	outage, err := time.ParseDuration(text)
	if err != nil || outage <= 0 {
		t.Fatalf("K8GUARD_OUTAGE=%q: write a duration, 1m", text)
	}
	f := &flow{kafka: servicestest.Start(t, services.Kafka), cassandra: servicestest.Start(t, services.Cassandra), keyspace: "lag"}
	p := f.pipe(t)
	defer p.end()
	p.all(t, lagRoots, 0)
	before := p.handled.Load()
	must(t, f.kafka.Kill(0))
	said := make(chan error, 1)
	go func() {
		for root := range lagRoots { // it waits when as much is held as may be
			if err := p.publisher.Publish(t.Context(), observed(root, 1)); err != nil {
				said <- err
				return
			}
		}
		said <- nil
	}()
	time.Sleep(outage) // the outage itself
	held, heard := p.publisher.Buffered(), p.handled.Load()-before
	began := time.Now()
	must(t, f.kafka.Restart(t.Context(), 0))
	up := time.Since(began)
	p.await(t, before+heard+1)
	first := time.Since(began)
	p.await(t, before+lagRoots)
	all := time.Since(began)
	must(t, <-said)
	t.Logf("Kafka was away for %v with %d messages held and %d heard; it served after %v more, the first was heard after %v, all %d after %v (%.0f a second)",
		outage, held, heard, up.Round(time.Millisecond), first.Round(time.Millisecond), lagRoots, all.Round(time.Second), lagRoots/(all-first).Seconds())
}
