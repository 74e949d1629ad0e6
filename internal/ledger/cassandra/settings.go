package cassandra

import (
	"crypto/tls"
	"log/slog"
	"time"

	gocql "github.com/apache/cassandra-gocql-driver/v2"

	"github.com/k8guard/k8guard/internal/config"
)

// Settings say where the ledger is and how to get in.
type Settings struct {
	Hosts       []string // "host" or "host:port"
	Keyspace    string
	LocalDC     string // all processes that write must name the same
	Replication int    // copies in LocalDC, when the keyspace is made
	Username    string // empty means no login
	// Password is asked at each new connection; nil means none.
	Password     func() (string, error)
	TLS          *tls.Config // nil means none
	Timeout      time.Duration
	CreateSchema bool
	Retention    time.Duration // 0 is for ever
	Now          func() time.Time
	Log          *slog.Logger

	// me makes the tables; a process that opens once more is the same, and has what it holds. Zero
	// is a new one each time.
	me gocql.UUID
}

// FromConfig reads the files that the configuration names.
func FromConfig(c config.Cassandra, retention time.Duration, now func() time.Time, log *slog.Logger) (Settings, error) {
	s := Settings{Hosts: c.Hosts, Keyspace: c.Keyspace, LocalDC: c.LocalDC, Replication: c.Replication, Username: c.Username,
		Timeout: c.Timeout, CreateSchema: c.CreateSchema, Retention: retention, Now: now, Log: log, me: gocql.MustRandomUUID()}
	if c.Username != "" {
		s.Password = func() (string, error) {
			return c.Password.OrFile("ledger.cassandra.passwordFile", c.PasswordFile)
		}
		if _, err := s.Password(); err != nil {
			return s, err
		}
	}
	var err error
	s.TLS, err = c.TLS.Load("ledger.cassandra.tls")
	return s, err
}
