package app

import (
	"log/slog"
	"time"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/ledger/cassandra"
)

// LedgerSchema is the CQL that makes the ledger's tables, for where K8Guard may not make
// them itself. Only what the tables need has to be configured.
func LedgerSchema(c config.Config) (string, error) {
	l := c.Ledger.Cassandra
	l = config.Cassandra{Hosts: []string{"any"}, Keyspace: l.Keyspace, LocalDC: l.LocalDC, Replication: l.Replication, Timeout: l.Timeout}
	c.Ledger = config.Ledger{Kind: config.LedgerCassandra, Cassandra: l}
	if err := config.Validate(c, nil); err != nil {
		return "", err
	}
	settings, err := cassandra.FromConfig(l, c.Data.Retention, time.Now, slog.New(slog.DiscardHandler))
	if err != nil {
		return "", err
	}
	return cassandra.Schema(settings), nil
}
