package action

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/k8guard/k8guard/internal/notify"
	"github.com/k8guard/k8guard/internal/outbox"
	"github.com/k8guard/k8guard/internal/telemetry"
)

// metrics is what the engine counts. It counts also where nobody registers it.
type metrics struct {
	notices *prometheus.CounterVec
	sending *prometheus.HistogramVec
	rounds  prometheus.Histogram
}

func newMetrics(channels []notify.Channel) *metrics {
	m := &metrics{
		notices: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "k8guard_notices_total",
			Help: "Tries to send a notice that this process made, by channel and result (sent; retried: surely not delivered, tried again; failed: given up; unknown: it may have arrived)."},
			[]string{"channel", "result"}),
		sending: prometheus.NewHistogramVec(telemetry.Seconds("k8guard_notice_duration_seconds",
			"Time that a channel took for one try, by channel.", prometheus.ExponentialBuckets(0.01, 3, 8)), []string{"channel"}), // to 22 s
		rounds: prometheus.NewHistogram(telemetry.Seconds("k8guard_round_duration_seconds",
			"Time that one round of the ladder took: what is due is looked at, told and asked for.", prometheus.ExponentialBuckets(0.0005, 4, 9))), // to 33 s
	}
	for _, c := range channels {
		for _, state := range []outbox.State{outbox.Sent, outbox.Due, outbox.Failed, outbox.Unknown} {
			m.notices.WithLabelValues(c.Name(), result(state))
		}
		m.sending.WithLabelValues(c.Name())
	}
	return m
}

// result is what became of a notice after a try. One that another process settled meanwhile
// counts as unknown.
func result(s outbox.State) string {
	switch s {
	case outbox.Sent:
		return "sent"
	case outbox.Due:
		return "retried"
	case outbox.Failed:
		return "failed"
	}
	return "unknown"
}

// sent notes how long a channel took; ended, how the try ended.
func (m *metrics) sent(channel string, d time.Duration) {
	m.sending.WithLabelValues(channel).Observe(d.Seconds())
}

func (m *metrics) ended(n outbox.Notice) { m.notices.WithLabelValues(n.Channel, result(n.State)).Inc() }

// Measure registers what the engine knows of itself and of the switches that hold it.
func (e *Engine) Measure(registry prometheus.Registerer) error {
	return errors.Join(registry.Register(e.metrics.notices), registry.Register(e.metrics.sending),
		registry.Register(e.metrics.rounds), registry.Register(newScrape(e)))
}
