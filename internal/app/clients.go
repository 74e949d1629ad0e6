package app

import (
	"net/http"
	"sync/atomic"
	"time"

	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/k8guard/k8guard/internal/telemetry"
)

// restConfig is how an account reaches the API server. What it asks is counted.
func restConfig(a account, calls *telemetry.Calls) (*rest.Config, error) {
	c, err := a.rest()
	if err != nil {
		return nil, err
	}
	c.UserAgent = "k8guard-" + a.name
	c.Wrap(calls.Of(a.name))
	// The API server's own priority and fairness decides; a client-side limit only adds delay.
	c.QPS, c.Burst = 100, 200
	c.Timeout = 0
	return c, nil
}

// actionClients are the clients of the account that enforces.
type actionClients struct {
	typed   kubernetes.Interface
	dynamic dynamic.Interface
	clock   *serverClock
}

func newActionClients(a account, calls *telemetry.Calls) (*actionClients, error) {
	c, err := restConfig(a, calls)
	if err != nil {
		return nil, err
	}
	c.Timeout = 15 * time.Second
	clock := &serverClock{now: time.Now}
	c.Wrap(clock.wrap)
	typed, err := kubernetes.NewForConfig(c)
	if err != nil {
		return nil, err
	}
	dyn, err := dynamic.NewForConfig(c)
	if err != nil {
		return nil, err
	}
	return &actionClients{typed: typed, dynamic: dyn, clock: clock}, nil
}

// serverClock reads the API server's time off every answer.
type serverClock struct {
	now  func() time.Time
	skew atomic.Int64
}

// Skew is the API server's clock minus ours, to the second, as last seen.
func (s *serverClock) Skew() time.Duration { return time.Duration(s.skew.Load()) }

func (s *serverClock) wrap(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		asked := s.now()
		resp, err := next.RoundTrip(r)
		if err == nil {
			if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
				s.skew.Store(int64(skewOf(date, asked, s.now())))
			}
		}
		return resp, err
	})
}

// skewOf is how far a time that an answer states, to the second, lies outside of the time between
// the question and its arrival: an answer that took long says nothing of clocks.
func skewOf(date, asked, answered time.Time) time.Duration {
	switch {
	case date.After(answered):
		return date.Sub(answered).Truncate(time.Second)
	case date.Add(time.Second).Before(asked):
		return date.Sub(asked).Truncate(time.Second)
	}
	return 0
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
