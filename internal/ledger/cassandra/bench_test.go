package cassandra_test

import (
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
)

// BenchmarkReal measures one server on this machine, small heap and all.
func BenchmarkReal(b *testing.B) {
	conf := settings(b, server(b), "bench")
	l := open(b, conf)
	var next atomic.Int64
	fresh := func() error {
		d := sample(fmt.Sprint("root-", next.Add(1)), docket.Open)
		_, err := l.CompareAndSet(b.Context(), d, []docket.Entry{entry("opened")})
		return err
	}
	each(b, "CompareAndSet/1 writer", 1, fresh)
	each(b, "CompareAndSet/64 writers", 64, fresh)
	each(b, "UpdateRecord/64 contenders", 64, func() error {
		_, err := ledger.UpdateRecord(b.Context(), l, "bench", func(n *int) (bool, error) { *n++; return true, nil })
		return err
	})
	load := func() error {
		_, err := l.Load(b.Context(), sample(fmt.Sprint("root-", 1+next.Load()/2), docket.Open).Key)
		return err
	}
	each(b, "Load/1 reader", 1, load)
	each(b, "Load/64 readers", 64, load)
	var bucket atomic.Int64
	b.Logf("%d dockets in %d buckets", next.Load(), docket.Buckets)
	each(b, "OpenInBucket", 1, func() error {
		_, err := l.OpenInBucket(b.Context(), int(bucket.Add(1)%docket.Buckets))
		return err
	})
	b.Run("build a mirror", func(b *testing.B) {
		for b.Loop() {
			r := run(b, conf, filepath.Join(b.TempDir(), "mirror.db"))
			if err := r.Close(); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(next.Load())*float64(b.N)/b.Elapsed().Seconds(), "dockets/s")
	})
}

func each(b *testing.B, name string, writers int, do func() error) {
	b.Run(name, func(b *testing.B) {
		if writers == 1 {
			for b.Loop() {
				if err := do(); err != nil {
					b.Fatal(err)
				}
			}
		} else {
			b.SetParallelism(writers / 2)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := do(); err != nil {
						b.Error(err)
					}
				}
			})
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "/s")
	})
}
