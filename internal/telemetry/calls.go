package telemetry

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Calls counts and times what an account asks of the Kubernetes API. Its labels are from
// lists of ours: no path, name or namespace is among them. A nil Calls counts nothing.
type Calls struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
}

// NewCalls returns calls that are in no registry yet.
func NewCalls() *Calls {
	return &Calls{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "k8guard_kubernetes_requests_total",
			Help: "Requests to the Kubernetes API, by account (discover, action, report), verb, kind (other: none that K8Guard works with) and code (2xx, 403, 404, 409, 429, 4xx, 5xx; error: no answer)."},
			[]string{"account", "verb", "kind", "code"}),
		seconds: prometheus.NewHistogramVec(Seconds("k8guard_kubernetes_request_duration_seconds",
			"Time until the Kubernetes API began to answer, by account, verb and kind; of a watch, until it was open.",
			prometheus.ExponentialBuckets(0.002, 3, 9)), []string{"account", "verb", "kind"}), // to 13 s
	}
}

// Describe implements prometheus.Collector.
func (c *Calls) Describe(to chan<- *prometheus.Desc) { c.requests.Describe(to); c.seconds.Describe(to) }

// Collect implements prometheus.Collector.
func (c *Calls) Collect(to chan<- prometheus.Metric) { c.requests.Collect(to); c.seconds.Collect(to) }

// Of wraps the transport of an account.
func (c *Calls) Of(account string) func(http.RoundTripper) http.RoundTripper {
	return func(next http.RoundTripper) http.RoundTripper {
		if c == nil {
			return next
		}
		return &meter{calls: c, account: account, next: next}
	}
}

type meter struct {
	calls   *Calls
	account string
	next    http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (m *meter) RoundTrip(r *http.Request) (*http.Response, error) {
	verb, kind := asked(r)
	from := time.Now()
	resp, err := m.next.RoundTrip(r)
	m.calls.seconds.WithLabelValues(m.account, verb, kind).Observe(time.Since(from).Seconds())
	m.calls.requests.WithLabelValues(m.account, verb, kind, code(resp, err)).Inc()
	return resp, err
}

// code is how a request ended, as one of a few.
func code(resp *http.Response, err error) string {
	switch {
	case err != nil:
		return "error"
	case resp.StatusCode == http.StatusForbidden, resp.StatusCode == http.StatusNotFound,
		resp.StatusCode == http.StatusConflict, resp.StatusCode == http.StatusTooManyRequests:
		return strconv.Itoa(resp.StatusCode)
	case resp.StatusCode < 200 || resp.StatusCode > 599:
		return "error" // no answer that Kubernetes gives
	}
	return fmt.Sprintf("%dxx", resp.StatusCode/100)
}
