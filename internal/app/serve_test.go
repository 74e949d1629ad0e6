package app

import (
	"context"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"
)

// A stop waits for a request in hand: it may be an undo, which needs the ledger.
func TestAStopWaitsForRequestsInHand(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	arrived, release := make(chan struct{}), make(chan struct{})
	var answered atomic.Bool
	served := make(chan error, 1)
	go func() {
		served <- serveHTTP(ctx, l, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			close(arrived)
			<-release
			answered.Store(true)
		}))
	}()
	got := make(chan error, 1)
	go func() {
		c := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		resp, err := c.Get("http://" + l.Addr().String())
		if err == nil {
			err = resp.Body.Close()
		}
		got <- err
	}()
	<-arrived
	cancel()
	select {
	case err := <-served:
		t.Fatalf("it stopped beside a request: %v", err)
	case <-time.After(200 * time.Millisecond):
	}
	close(release)
	if err := <-served; err != nil || !answered.Load() {
		t.Errorf("%v, answered %v", err, answered.Load())
	}
	if err := <-got; err != nil {
		t.Errorf("the one who asked hears: %v", err)
	}
}
