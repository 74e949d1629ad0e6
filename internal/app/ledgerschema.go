package app

import (
	"errors"
	"log/slog"
	"time"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/ledger/cassandra"
)

// LedgerSchema is the CQL that makes the ledger's tables, for where K8Guard may not make
// them itself.
func LedgerSchema(c config.Config) (string, error) {
	l := c.Ledger.Cassandra
	if l.LocalDC == "" {
		return "", errors.New("ledger.cassandra.localDC: is missing; write the data center whose nodes keep the ledger, as \"nodetool status\" calls it")
	}
	settings, err := cassandra.FromConfig(config.Cassandra{Keyspace: l.Keyspace, LocalDC: l.LocalDC, Replication: l.Replication},
		c.Data.Retention, time.Now, slog.New(slog.DiscardHandler))
	if err != nil {
		return "", err
	}
	return cassandra.Schema(settings), nil
}
