package services

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync/atomic"
	"testing"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/action"
	"github.com/k8guard/k8guard/internal/bus"
	"github.com/k8guard/k8guard/internal/bus/kafka"
	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/control"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger/cassandra"
	"github.com/k8guard/k8guard/internal/rule"
	"github.com/k8guard/k8guard/tools/services"
	"github.com/k8guard/k8guard/tools/services/servicestest"
)

const (
	flowRoots      = 3000
	flowPartitions = 12 // as many as there are when nobody sets them
	flowPatience   = 10 * time.Minute
)

// BenchmarkFlow lets the observations of roots that all violate through Kafka and action's
// handler into Cassandra, and beside it, in the same run, what the parts alone can do: Kafka
// with the same bytes, Cassandra with the same rows. One iteration is all roots, each once
// new; then each once more, changed.
//
//	go test ./test/services -run '^$' -bench Flow -benchtime 1x
func BenchmarkFlow(b *testing.B) {
	f := &flow{kafka: servicestest.Start(b, services.Kafka), cassandra: servicestest.Start(b, services.Cassandra), rate: map[string]float64{}}
	b.Run("kafka alone", f.kafkaAlone)
	b.Run("new roots", func(b *testing.B) { f.through(b, "new", 1) })
	b.Run("changed roots", func(b *testing.B) { f.through(b, "changed", 2) })
	for _, name := range []string{"plain rows", "conditional rows"} {
		b.Run("cassandra alone, "+name, func(b *testing.B) { f.cassandraAlone(b, name) })
	}
	b.Run("ratios", f.ratios)
}

// flow is the two servers, and what was measured on them.
type flow struct {
	kafka, cassandra *services.Service
	rate             map[string]float64 // roots a second
	keyspace         string             // of what went through last
	runs             int
}

// measured notes how long all roots took.
func (f *flow) measured(b *testing.B, name string) {
	f.rate[name] = flowRoots * float64(b.N) / b.Elapsed().Seconds()
	b.ReportMetric(f.rate[name], "roots/s")
	b.ReportMetric(0, "ns/op")
}

// ratios says how much of what the parts can do is left of it all.
func (f *flow) ratios(b *testing.B) {
	for b.Loop() {
	}
	for name, r := range map[string][2]string{"of-kafka": {"new", "kafka"}, "of-plain-rows": {"new", "plain rows"},
		"of-conditional-rows": {"new", "conditional rows"}, "changed/new": {"changed", "new"}} {
		b.ReportMetric(f.rate[r[0]]/f.rate[r[1]], name)
	}
	b.ReportMetric(resident(b, f.kafka.Pids()), "kafka-MB")
	b.ReportMetric(resident(b, f.cassandra.Pids()), "cassandra-MB")
	b.ReportMetric(0, "ns/op")
}

// observed says for the n-th time that a root violates.
func observed(root, n int) v1.Message {
	uid := fmt.Sprintf("00000000-0000-4000-8000-%012d", root)
	at := time.Now()
	return v1.Message{Observation: &v1.Observation{V: v1.Version, Cluster: v1.Cluster{Name: "flow", UID: "flow-uid"},
		Root:  v1.Root{Kind: "Deployment", Namespace: fmt.Sprint("team-", root%200), Name: fmt.Sprint("storefront-", root), UID: uid},
		Order: v1.Order{Epoch: 1, Seq: int64(n)<<32 + int64(root)}, At: at, State: v1.Live, Created: at,
		Owner: v1.Owner{Emails: []string{fmt.Sprintf("team-%d@example.com", root%200)}, Platform: true, From: "Namespace"},
		Hash:  fmt.Sprint("verdict-", n),
		Verdicts: []v1.Verdict{{Rule: "IMAGE_REPO", Version: "1", Severity: "high", State: v1.Violated,
			Violations: []v1.Violation{{Source: "app", Message: "image is not from an approved repository", From: v1.FromTemplate,
				Evidence: fmt.Sprintf("registry.example.com/team/app-%d:1.%d", root, n)}}}}}}
}

// through publishes and waits until action has handled everything.
func (f *flow) through(b *testing.B, name string, rounds int) {
	for b.Loop() {
		b.StopTimer()
		f.runs++
		f.keyspace = fmt.Sprint("flow_", f.runs)
		p := f.pipe(b)
		for round := range rounds - 1 {
			p.all(b, flowRoots, round)
		}
		f.timed(b, func() { p.all(b, flowRoots, rounds-1) })
		p.end()
		b.StartTimer()
	}
	f.measured(b, name)
}

// timed runs the part that is measured, with the timer stopped before and after. What the
// processors did for it says more than the time on a machine that others use too.
func (f *flow) timed(b *testing.B, do func()) {
	server, own := busy(b, append(f.cassandra.Pids(), f.kafka.Pids()...)), busy(b, []int{os.Getpid()})
	b.StartTimer()
	do()
	b.StopTimer()
	b.ReportMetric((busy(b, append(f.cassandra.Pids(), f.kafka.Pids()...))-server)*1000/flowRoots, "servers-ms/root")
	b.ReportMetric((busy(b, []int{os.Getpid()})-own)*1000/flowRoots, "own-ms/root")
}

// pipe is Kafka, action's handler and a store.
type pipe struct {
	publisher *kafka.Publisher
	handled   atomic.Int64
	end       func()
}

func (f *flow) pipe(b testing.TB) *pipe {
	b.Helper()
	ctx, cancel := context.WithCancel(b.Context())
	log := slog.New(slog.NewTextHandler(b.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	store, err := cassandra.Open(ctx, cassandra.Settings{Hosts: f.cassandra.Addresses(), Keyspace: f.keyspace, LocalDC: "datacenter1", Replication: 1,
		Timeout: 10 * time.Second, CreateSchema: true, Retention: 90 * 24 * time.Hour, Now: time.Now, Log: log})
	must(b, err)
	settings := kafka.Settings{Brokers: f.kafka.Addresses(), Prefix: f.keyspace, Partitions: flowPartitions, Log: log}
	p := &pipe{}
	p.publisher, err = kafka.NewPublisher(ctx, settings)
	must(b, err)
	consumer, err := kafka.NewConsumer(ctx, settings)
	must(b, err)
	conf := config.Default()
	conf.Discover.Resync = time.Hour
	handle, share := handlerOf(b, action.Settings{Ledger: store, Config: conf, Clusters: []v1.Cluster{{Name: "flow", UID: "flow-uid"}},
		Control: control.New(store, time.Now), Rules: []rule.Meta{{ID: "IMAGE_REPO", Title: "Image from elsewhere"}}, Holder: f.keyspace, Now: time.Now, Log: log})
	ended := make(chan error, 1)
	go func() {
		ended <- consumer.Consume(ctx, func(ctx context.Context, m v1.Message) error {
			err := handle(ctx, m)
			if err == nil {
				p.handled.Add(1)
			}
			return err
		}, share)
	}()
	p.end = func() {
		must(b, p.publisher.Close(ctx))
		cancel()
		must(b, <-ended)
		must(b, errors.Join(consumer.Close(context.WithoutCancel(ctx)), store.Close()))
	}
	return p
}

// all says something of every root, and waits until action has heard it.
func (p *pipe) all(b testing.TB, roots, n int) {
	b.Helper()
	want := p.handled.Load() + int64(roots)
	for root := range roots {
		must(b, p.publisher.Publish(b.Context(), observed(root, n)))
	}
	p.await(b, want)
}

func (p *pipe) await(b testing.TB, want int64) {
	b.Helper()
	for end := time.Now().Add(flowPatience); p.handled.Load() < want; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			b.Fatalf("%d of %d were handled after %v", p.handled.Load(), want, flowPatience)
		}
	}
}

// taker is a bus that only takes what the engine would handle messages with.
type taker struct {
	handle bus.Handler
	share  bus.Share
}

// Consume implements bus.Consumer.
func (t *taker) Consume(_ context.Context, handle bus.Handler, share bus.Share) error {
	t.handle, t.share = handle, share
	return io.EOF
}

// Pass implements bus.Consumer.
func (t *taker) Pass(context.Context, v1.Message) error { return nil }

// Request implements bus.Consumer.
func (t *taker) Request(docket.Key) {}

// handlerOf is what action does with a message, without the ladder beside it.
func handlerOf(b testing.TB, s action.Settings) (bus.Handler, bus.Share) {
	b.Helper()
	t := &taker{}
	s.Bus = t
	if err := action.New(s).Run(b.Context()); !errors.Is(err, io.EOF) {
		b.Fatal(err)
	}
	return t.handle, t.share
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}
