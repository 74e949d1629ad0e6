package app

import (
	"context"
	"errors"
	"time"

	"github.com/k8guard/k8guard/internal/bus/kafka"
	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/ledger/cassandra"
)

// closeLimit is how long the last messages may take when a target ends.
const closeLimit = 10 * time.Second

// kafkaSettings reads the files that the configuration names. Cluster is the UID whose
// requests a publisher wants.
func (in *instance) kafkaSettings(cluster string) (kafka.Settings, error) {
	c := in.Config.Bus.Kafka
	secure, err := c.TLS.Load("bus.kafka.tls")
	if err != nil {
		return kafka.Settings{}, err
	}
	password, err := c.SASL.Password.OrFile("bus.kafka.sasl.passwordFile", c.SASL.PasswordFile)
	if err != nil {
		return kafka.Settings{}, err
	}
	return kafka.Settings{Brokers: c.Brokers, TLS: secure, Prefix: c.Prefix, Group: c.Group, Partitions: int32(c.Partitions), Replicas: int16(c.Replication), //nolint:gosec // checked: 1024 and 9 at most
		Login:     kafka.Login{Mechanism: c.SASL.Mechanism, User: c.SASL.Username, Password: password, TokenFile: c.SASL.TokenFile},
		Retention: c.Retention, CheckOnly: !c.CreateTopics, Cluster: cluster, Log: in.Log}, nil
}

// openKafka waits for the broker, and takes part as a consumer.
func (in *instance) openKafka(ctx context.Context) (*kafka.Consumer, error) {
	settings, err := in.kafkaSettings("")
	if err != nil {
		return nil, err
	}
	return patient(ctx, in, "Kafka", kafka.Patient(in.Now), func() (*kafka.Consumer, error) { return kafka.NewConsumer(ctx, settings) })
}

// dialKafka asks the broker once, and takes part as a consumer.
func (in *instance) dialKafka(ctx context.Context) (*kafka.Consumer, error) {
	settings, err := in.kafkaSettings("")
	if err != nil {
		return nil, err
	}
	return kafka.NewConsumer(ctx, settings)
}

// closeKafka hands over what was said last.
func closeKafka(ctx context.Context, to interface{ Close(context.Context) error }) error {
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeLimit)
	defer cancel()
	return to.Close(end)
}

// openCassandra waits for the ledger that replicas share, and opens it.
func (in *instance) openCassandra(ctx context.Context) (*cassandra.Store, error) {
	settings, err := in.cassandraSettings()
	if err != nil {
		return nil, err
	}
	return patient(ctx, in, "Cassandra", cassandra.Away, func() (*cassandra.Store, error) {
		return whole(ctx, func() (*cassandra.Store, error) { return cassandra.Open(ctx, settings) })
	})
}

// whole opens a ledger that is in order.
func whole[L interface {
	ledger.Store
	Close() error
}](ctx context.Context, open func() (L, error)) (L, error) {
	l, err := open()
	if err != nil {
		return l, err
	}
	if err := ledger.Whole(ctx, l); err != nil {
		return l, errors.Join(err, l.Close())
	}
	return l, nil
}

func (in *instance) cassandraSettings() (cassandra.Settings, error) {
	return cassandra.FromConfig(in.Config.Ledger.Cassandra, in.Config.Data.Retention, in.Now, in.Log)
}

// onePlace refuses a target run with the services: it needs none, and would share them badly.
func onePlace(c config.Config) error {
	if c.Bus.Kind != config.BusMemory || c.Ledger.Kind != config.LedgerSQLite {
		return errors.New("run is everything in one process, with bus.kind: memory and ledger.kind: sqlite; with Kafka and Cassandra start discover, action and report")
	}
	return nil
}

// needsServices says what the target action lacks.
func needsServices(c config.Config) error {
	if c.Bus.Kind != config.BusKafka || c.Ledger.Kind != config.LedgerCassandra {
		return errors.New("action by itself takes what discover sees from Kafka and keeps it in Cassandra: set bus.kind: kafka and ledger.kind: cassandra, or use k8guard run, which is everything in one process")
	}
	if len(c.Clusters) > 0 {
		return nil // each has its name
	}
	return named(c)
}

// named wants the name by which discover and action know one cluster.
func named(c config.Config) error {
	if c.Cluster.Name == "" {
		return errors.New("cluster.name is empty: discover and action know a cluster by its name; write the same one for both")
	}
	return nil
}
