package telemetry

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// growth is by how much one bucket of a native histogram is wider than the one before: 10 %.
const growth = 1.1

// Seconds describes a histogram of durations: with these classic buckets, and with native
// ones for a scraper that asks for them, at most 100 and started anew once an hour at most.
func Seconds(name, help string, buckets []float64) prometheus.HistogramOpts {
	return prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets,
		NativeHistogramBucketFactor: growth, NativeHistogramMaxBucketNumber: 100, NativeHistogramMinResetDuration: time.Hour}
}
