package kafka

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Measure registers what the consumer knows of itself: k8guard_bus_lag_messages,
// k8guard_bus_lag_seconds, k8guard_bus_partitions and k8guard_bus_dead_letters_total. All of
// it is of this replica's partitions alone.
func (c *Consumer) Measure(registry prometheus.Registerer, now func() time.Time) error {
	gauge := func(name, help string, value func(*crew) float64) error {
		return registry.Register(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 {
			if crew := c.crew.Load(); crew != nil {
				return value(crew)
			}
			return 0
		}))
	}
	return errors.Join(
		gauge("k8guard_bus_lag_messages", "Messages of this replica's partitions that are not done with, as far as the last fetch of each tells.",
			func(w *crew) float64 { n, _, _ := w.lag(); return float64(n) }),
		gauge("k8guard_bus_lag_seconds", "Age of the oldest message in hand; 0 where none is.",
			func(w *crew) float64 {
				_, oldest, _ := w.lag()
				if oldest.IsZero() {
					return 0
				}
				return max(0, now().Sub(oldest).Seconds())
			}),
		gauge("k8guard_bus_partitions", "Partitions of the observations that this replica works on.",
			func(w *crew) float64 { _, _, held := w.lag(); return float64(held) }),
		registry.Register(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "k8guard_bus_dead_letters_total",
			Help: "Messages that nobody could read, put among the dead letters by this replica."}, func() float64 { return float64(c.buried.Load()) })),
	)
}

// Measure registers k8guard_bus_buffered_messages.
func (p *Publisher) Measure(registry prometheus.Registerer) error {
	return registry.Register(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "k8guard_bus_buffered_messages",
		Help: "Messages that Kafka has not taken yet; when bus is full, discover waits."}, func() float64 { return float64(p.client.BufferedProduceRecords()) }))
}
