package main

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/test/judge"
	"github.com/k8guard/k8guard/tools/services"
	"github.com/k8guard/k8guard/tools/stage"
)

// distribution is K8Guard as services over two clusters: a discover for each, three replicas
// of action, two of report, on Kafka, Cassandra and Memcached.
type distribution struct {
	*demo
	kafka, cassandra, memcached *services.Service
}

func (h *distribution) setUp(ctx context.Context, dir string, rules config.Rules) error {
	h.say("1. Kafka, Cassandra and Memcached, and two clusters, east and west, of our own (your KUBECONFIG is not used)")
	if err := h.startServices(ctx, dir); err != nil {
		return err
	}
	shared := func(c *config.Config) {
		overrides(c, rules)
		h.join(c)
	}
	west, err := h.newStage(ctx, dir, "west", func(c *config.Config) {
		shared(c)
		c.Cluster.Name = "west"
	})
	if err != nil {
		return err
	}
	both := func(c *config.Config) {
		shared(c)
		c.Cluster.Name = "east"
		c.Clusters = []config.ActingCluster{{Name: "east", ActionKubeconfig: c.Cluster.ActionKubeconfig}, {Name: "west", ActionKubeconfig: west.Kubeconfig("k8guard-action")}}
	}
	if h.stage, err = h.newStage(ctx, dir, "east", both); err != nil {
		return err
	}
	second, err := h.stage.Beside(stage.Options{Dir: filepath.Join(dir, "report-2"), Enforce: []string{"shop", "payments"}, Change: both})
	if err == nil {
		h.others = append(h.others, second)
	}
	return err
}

// startServices starts the three beside each other: most of it is waiting for Cassandra.
func (h *distribution) startServices(ctx context.Context, dir string) error {
	var all errgroup.Group
	for kind, to := range map[services.Kind]**services.Service{
		services.Kafka: &h.kafka, services.Cassandra: &h.cassandra, services.Memcached: &h.memcached,
	} {
		all.Go(func() (err error) {
			*to, err = services.Start(ctx, kind, services.Options{Dir: filepath.Join(dir, string(kind)), Progress: h.out})
			return err
		})
	}
	return all.Wait()
}

// join has every process use the services. One digest is to tell of both clusters, though
// one is seen some seconds before the other.
func (h *distribution) join(c *config.Config) {
	c.Bus.Kind = config.BusKafka
	c.Bus.Kafka.Brokers, c.Bus.Kafka.Partitions, c.Bus.Kafka.Replication = h.kafka.Addresses(), 6, 1
	c.Ledger.Kind = config.LedgerCassandra
	c.Ledger.Cassandra.Hosts, c.Ledger.Cassandra.LocalDC, c.Ledger.Cassandra.Replication = h.cassandra.Addresses(), "datacenter1", 1
	c.Cache.Kind, c.Cache.Memcached.Servers = config.CacheMemcached, h.memcached.Addresses()
	c.Notify.Gather = 8 * time.Second
	c.Enforce.Breaker.UndosPerHour *= 2
}

func (h *distribution) start(ctx context.Context) error {
	var errs []error
	begin := func(s *stage.Stage, target string, env ...string) {
		p, err := s.Target(target, env...)
		if p != nil {
			h.running = append(h.running, p)
		}
		errs = append(errs, err)
	}
	const anyPort = "K8GUARD__REPORT__LISTEN=127.0.0.1:0" // the report alone has an address that people know
	for _, s := range h.sites {
		begin(s.Stage, "discover", anyPort)
	}
	for range 3 {
		begin(h.stage, "action", anyPort)
	}
	reports := append([]*stage.Stage{h.stage}, h.others...)
	for _, s := range reports {
		begin(s, "report")
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	h.say("   2 discover, 3 action, 2 report; the second report: %s", h.others[0].Config.Report.URL)
	for i, p := range h.running[len(h.running)-len(reports):] {
		errs = append(errs, reports[i].WaitReady(ctx, p))
	}
	return errors.Join(errs...)
}

func (h *distribution) dump(ctx context.Context) (judge.Dump, error) {
	return judge.ReadCassandra(ctx, h.cassandra.Addresses(), h.stage.Config.Ledger.Cassandra.Keyspace)
}

func (h *distribution) takeDown() error {
	var errs []error
	for _, other := range h.others { // guests first
		errs = append(errs, other.Stop())
	}
	errs = append(errs, h.stopSites())
	for _, s := range []*services.Service{h.kafka, h.cassandra, h.memcached} {
		if s != nil {
			errs = append(errs, s.Stop())
		}
	}
	return errors.Join(errs...)
}
