package prometheus

import (
	"errors"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/tools/dashboards"
	"github.com/k8guard/k8guard/tools/services"
	"github.com/k8guard/k8guard/tools/services/servicestest"
	"github.com/k8guard/k8guard/tools/stage"
)

// services lets discover, action and report of their own, on Kafka and Cassandra, follow run on
// the same cluster: what only they have is scraped, too. Their ledger is a new one, which the
// cluster has not seen before: so nothing is done, and an alert says why.
func (s *scene) services(t *testing.T) {
	kafka, cassandra := servicestest.Start(t, services.Kafka), servicestest.Start(t, services.Cassandra)
	must(t, s.run.Terminate(time.Minute))
	guest, err := s.Beside(stage.Options{Dir: filepath.Join(filepath.Dir(s.ConfigFile()), "services"), Enforce: []string{"shop"}, Change: func(c *config.Config) {
		quick(c)
		c.Bus = config.Bus{Kind: config.BusKafka, Kafka: c.Bus.Kafka}
		c.Bus.Kafka.Brokers, c.Bus.Kafka.Partitions, c.Bus.Kafka.Replication = kafka.Addresses(), 6, 1
		c.Ledger.Kind = config.LedgerCassandra
		c.Ledger.Cassandra.Hosts, c.Ledger.Cassandra.LocalDC, c.Ledger.Cassandra.Replication = cassandra.Addresses(), "datacenter1", 1
	}})
	must(t, err)
	t.Cleanup(func() {
		if err := guest.Stop(); err != nil {
			t.Error(err)
		}
	})
	apart := &scene{Stage: guest, targets: map[string]string{}}
	for _, target := range []string{"discover", "action", "report"} {
		apart.targets[target] = free(t)
		_, err := guest.Target(target, "K8GUARD__REPORT__LISTEN="+apart.targets[target])
		must(t, err)
	}
	for target, address := range apart.targets {
		eventually(t, target+" is ready", func() error { return ready(address) })
	}
	apart.server = start(t, apart.config(t, "1s"))
	eventually(t, "discover leads, and action hears of it", func() error {
		found, err := apart.server.query(t.Context(), "min(k8guard_audit_whole) * min(k8guard_inventory_whole) == 1")
		if err == nil && len(found) == 0 {
			err = errors.New("not yet")
		}
		return err
	})
	apart.kafkaPanels(t)
	apart.catalogue(t)
	apart.checkMetrics(t)
	eventually(t, "K8GuardLedgerDoubted fires", func() error {
		found, err := apart.server.query(t.Context(), `ALERTS{alertname="K8GuardLedgerDoubted", alertstate="firing", cluster="stage"}`)
		if err == nil && len(found) == 0 {
			err = errors.New("it does not")
		}
		return err
	})
}

func ready(address string) error {
	resp, err := http.Get("http://" + address + "/readyz")
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return errors.New(resp.Status)
	}
	return nil
}

// kafkaPanels asks what only services can answer.
func (s *scene) kafkaPanels(t *testing.T) {
	asked := 0
	for _, board := range dashboards.Boards() {
		for _, row := range board.Rows {
			for _, panel := range row.Panels {
				for _, q := range panel.Queries {
					if q.Rare == dashboards.KafkaOnly {
						q.Rare = ""
						asked++
						t.Logf("%-24s | %s | %s", panel.Title, q.Asked("1m"), s.answer(t, panel.Title, q))
					}
				}
			}
		}
	}
	if asked < 5 {
		t.Errorf("%d panels", asked)
	}
}
