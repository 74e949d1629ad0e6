package cassandra

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

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
}

// FromConfig reads the files that the configuration names.
func FromConfig(c config.Cassandra, retention time.Duration, now func() time.Time, log *slog.Logger) (Settings, error) {
	s := Settings{Hosts: c.Hosts, Keyspace: c.Keyspace, LocalDC: c.LocalDC, Replication: c.Replication, Username: c.Username,
		Timeout: c.Timeout, CreateSchema: c.CreateSchema, Retention: retention, Now: now, Log: log}
	if c.Username != "" {
		s.Password = func() (string, error) { return password(c) }
		if _, err := s.Password(); err != nil {
			return s, err
		}
	}
	var err error
	s.TLS, err = secure(c.TLS)
	return s, err
}

func password(c config.Cassandra) (string, error) {
	if c.PasswordFile == "" {
		return c.Password.Reveal(), nil
	}
	text, err := os.ReadFile(c.PasswordFile)
	if err != nil {
		return "", fmt.Errorf("ledger.cassandra.passwordFile: %w", err)
	}
	return strings.TrimRight(string(text), "\r\n"), nil
}

// secure makes the client's half of TLS; nil where it is off.
func secure(t config.ClientTLS) (*tls.Config, error) {
	if !t.Enabled {
		return nil, nil //nolint:nilnil // the driver takes nil for "no TLS"
	}
	conf := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName}
	if t.CAFile != "" {
		text, err := os.ReadFile(t.CAFile)
		if err != nil {
			return nil, fmt.Errorf("ledger.cassandra.tls.caFile: %w", err)
		}
		conf.RootCAs = x509.NewCertPool()
		if !conf.RootCAs.AppendCertsFromPEM(text) {
			return nil, errors.New("ledger.cassandra.tls.caFile: " + t.CAFile + " holds no certificate; write a file in PEM")
		}
	}
	if t.CertFile == "" {
		return conf, nil
	}
	own, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("ledger.cassandra.tls.certFile and keyFile: %w", err)
	}
	conf.Certificates = []tls.Certificate{own}
	return conf, nil
}
