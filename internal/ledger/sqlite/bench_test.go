package sqlite_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
)

// benchDocket is a docket with so many open cases, unlike its neighbours.
func benchDocket(n, cases int) docket.Docket {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).Add(time.Duration(n) * time.Second)
	d := docket.Docket{Key: docket.Key{Cluster: "cluster-uid", Root: fmt.Sprint("root-", n)}, Cluster: "prod", ObservedAt: now,
		Root:  v1.Root{Kind: "Deployment", Namespace: fmt.Sprint("ns-", n%97), Name: fmt.Sprint("web-", n), UID: fmt.Sprint("root-", n)},
		Owner: v1.Owner{Emails: []string{fmt.Sprintf("team-%d@example.com", n%50)}, Platform: true}}
	for i := range cases {
		c := docket.Case{Rule: fmt.Sprint("RULE_", i), Source: "app", From: v1.FromTemplate, State: docket.Open, Message: "image is not from an approved repository",
			Evidence: "registry.example.com/team/app:1.2.3", Severity: []string{"critical", "high", "medium", "low"}[(n+i)%4], FirstSeen: now, OpenedAt: now, LastSeen: now}
		c.ID = docket.CaseID(d.Key, c.Rule, c.Source, c.From)
		d.Cases = append(d.Cases, c)
	}
	return d
}

func BenchmarkCompareAndSet(b *testing.B) {
	for _, writers := range []int{1, 16} {
		b.Run(fmt.Sprintf("%d writers", writers), func(b *testing.B) {
			l := open(b, b.TempDir())
			defer func() { _ = l.Close() }()
			var next atomic.Int64
			b.SetParallelism(writers)
			b.ResetTimer()
			write := func() error {
				_, err := l.CompareAndSet(b.Context(), benchDocket(int(next.Add(1)), 3), []docket.Entry{{Kind: docket.EntrySeen, Text: "seen"}})
				return err
			}
			if writers == 1 {
				for b.Loop() {
					if err := write(); err != nil {
						b.Fatal(err)
					}
				}
				return
			}
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := write(); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}

// BenchmarkRead reads a ledger of 100,000 cases in 10,000 dockets.
func BenchmarkRead(b *testing.B) {
	l := open(b, b.TempDir())
	defer func() { _ = l.Close() }()
	const dockets = 10_000
	for n := range dockets {
		if _, err := l.CompareAndSet(b.Context(), benchDocket(n, 10), nil); err != nil {
			b.Fatal(err)
		}
	}
	deep := ""
	for range 100 { // the place after 50,000 rows
		page, err := l.Cases(b.Context(), ledger.CaseQuery{Limit: 500, Cursor: deep})
		if err != nil || page.Total != 10*dockets {
			b.Fatal(page.Total, err)
		}
		deep = page.Next
	}
	for _, q := range []struct {
		name  string
		query ledger.CaseQuery
	}{
		{"first page", ledger.CaseQuery{}},
		{"deep page", ledger.CaseQuery{Cursor: deep}},
		{"by owner", ledger.CaseQuery{Owner: "team-7@example.com"}},
		{"by rule and namespace", ledger.CaseQuery{Rule: "RULE_3", Namespace: "ns-5"}},
		{"nothing found", ledger.CaseQuery{Namespace: "nowhere"}},
	} {
		b.Run("Cases/"+q.name, func(b *testing.B) {
			for b.Loop() {
				if _, err := l.Cases(b.Context(), q.query); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	n := 0
	for name, read := range map[string]func() error{
		"Load":         func() error { n++; _, err := l.Load(b.Context(), benchDocket(n%dockets, 0).Key); return err },
		"Case":         func() error { _, err := l.Case(b.Context(), benchDocket(77, 10).Cases[3].ID); return err },
		"OpenInBucket": func() error { n++; _, err := l.OpenInBucket(b.Context(), n%docket.Buckets); return err },
		"Overview":     func() error { _, err := l.Overview(b.Context(), ledger.Part{}); return err },
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := read(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
