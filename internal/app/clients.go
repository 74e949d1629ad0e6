package app

import (
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/k8guard/k8guard/internal/telemetry"
)

// The accounts, as the API server's log and our metrics call them.
const (
	discoverAccount = "discover"
	actionAccount   = "action"
	reportAccount   = "report"
)

// restConfig reads a kubeconfig; an empty path means the credentials of the pod that we
// run in. What the account asks is counted.
func restConfig(path, account string, calls *telemetry.Calls) (*rest.Config, error) {
	c, err := kubeconfig(path)
	if err != nil {
		return nil, err
	}
	c.UserAgent = "k8guard-" + account
	c.Wrap(calls.Of(account))
	// The API server's own priority and fairness decides; a client-side limit only adds delay.
	c.QPS, c.Burst = 100, 200
	c.Timeout = 0
	return c, nil
}

// kubeconfig reads a file, or without one the account of the pod that we run in.
func kubeconfig(path string) (*rest.Config, error) {
	if path != "" {
		c, err := clientcmd.BuildConfigFromFlags("", path)
		if err != nil {
			return nil, fmt.Errorf("reading kubeconfig %q: %w", path, err)
		}
		return c, nil
	}
	c, err := rest.InClusterConfig()
	switch {
	case errors.Is(err, rest.ErrNotInCluster):
		return nil, errors.New("no cluster is configured, and this is no pod of one: set cluster.kubeconfig to a kubeconfig's path")
	case err != nil:
		return nil, fmt.Errorf("reading the account of the pod: %w", err)
	}
	return c, nil
}

// actionClients are the clients of the account that enforces.
type actionClients struct {
	typed   kubernetes.Interface
	dynamic dynamic.Interface
	clock   *serverClock
}

func newActionClients(path string, calls *telemetry.Calls) (*actionClients, error) {
	c, err := restConfig(path, actionAccount, calls)
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
