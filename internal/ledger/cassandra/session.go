package cassandra

import (
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	gocql "github.com/apache/cassandra-gocql-driver/v2"
)

// reconnect is how often hosts that were given up are tried again. After a total outage the
// driver has nobody else to ask.
const reconnect = 2 * time.Second

// agreement is how long the nodes are waited for to know a table; one that is down delays it.
const agreement = 20 * time.Second

// connect opens a session with the local data center only: another one has another serial
// order, in which a version could have a second winner.
func connect(s Settings, keyspace string) (*gocql.Session, error) {
	seen := &centers{local: s.LocalDC}
	c := gocql.NewCluster(s.Hosts...)
	c.ProtoVersion = 5 // Cassandra 4.0 or newer; to ask would hide the reason of a refusal
	c.Keyspace = keyspace
	c.Consistency, c.SerialConsistency = gocql.LocalQuorum, gocql.LocalSerial
	c.Timeout, c.ConnectTimeout, c.WriteTimeout = s.Timeout, s.Timeout, s.Timeout
	c.RetryPolicy = nil // a compare-and-set is never repeated by the driver
	c.DefaultIdempotence = false
	c.ReconnectInterval = reconnect
	c.ReconnectionPolicy = &gocql.ConstantReconnectionPolicy{MaxRetries: 1, Interval: time.Second}
	c.SocketKeepalive = 15 * time.Second
	c.MaxWaitSchemaAgreement = agreement
	c.Metadata.CacheMode = gocql.KeyspaceOnly
	c.HostFilter = seen
	c.PoolConfig.HostSelectionPolicy = gocql.TokenAwareHostPolicy(gocql.DCAwareRoundRobinPolicy(s.LocalDC))
	c.Logger = driverLog{s.Log}
	if s.Password != nil {
		c.AuthProvider = func(*gocql.HostInfo) (gocql.Authenticator, error) {
			password, err := s.Password()
			return gocql.PasswordAuthenticator{Username: s.Username, Password: password}, err
		}
	}
	if s.TLS != nil {
		c.SslOpts = &gocql.SslOptions{Config: s.TLS.Clone(), EnableHostVerification: true}
	}
	session, err := c.CreateSession()
	if err != nil {
		return nil, explain(err, s, seen)
	}
	return session, nil
}

// closed ends a session, and says whether that came about in time. The driver (2.1.2) waits
// for ever if it was just then making its control connection anew, as it does in an outage:
// the one who would end that waits for news of the schema that nobody reads any more.
func closed(session *gocql.Session, within time.Duration) bool {
	done := make(chan struct{})
	go func() { defer close(done); session.Close() }()
	select {
	case <-done:
		return true
	case <-time.After(within):
		return false
	}
}

// explain says what a person can do about a session that did not come about.
func explain(err error, s Settings, seen *centers) error {
	others := seen.others()
	var refused gocql.RequestError
	switch {
	case len(others) > 0 && !seen.found():
		return fmt.Errorf("ledger.cassandra.localDC: Cassandra has no data center %q; write one of %s", s.LocalDC, strings.Join(others, ", "))
	case errors.As(err, &refused) && refused.Code() == gocql.ErrCodeCredentials, strings.Contains(err.Error(), "are incorrect"):
		return fmt.Errorf("cassandra refuses user %q: look at ledger.cassandra.username and passwordFile: %w", s.Username, err)
	case strings.Contains(err.Error(), "authentication required"):
		return fmt.Errorf("cassandra wants a login: write ledger.cassandra.username and passwordFile: %w", err)
	case strings.Contains(err.Error(), "tls:") || strings.Contains(err.Error(), "x509:"):
		return fmt.Errorf("no TLS with cassandra at %v: look at ledger.cassandra.tls: %w", s.Hosts, err)
	}
	return fmt.Errorf("no session with cassandra at %v: %w: %w", s.Hosts, errAway, err)
}

var errAway = errors.New("it does not answer")

// unknownYet says that a node does not know a keyspace or table. Once these were made, it learns of
// them in a moment, from the others.
func unknownYet(err error) bool {
	var answer gocql.RequestError
	if !errors.As(err, &answer) || answer.Code() != gocql.ErrCodeInvalid && answer.Code() != gocql.ErrCodeConfig {
		return false
	}
	text := answer.Message()
	return strings.Contains(text, "doesn't exist") || strings.Contains(text, "does not exist") || strings.Contains(text, "unconfigured table")
}

// Away reports whether an error of [Open] or [OpenReport] says that the servers are away or
// too slow, which may end by itself.
func Away(err error) bool {
	var network net.Error
	var refused gocql.RequestError
	if errors.As(err, &refused) {
		switch refused.Code() {
		case gocql.ErrCodeUnavailable, gocql.ErrCodeOverloaded, gocql.ErrCodeBootstrapping, gocql.ErrCodeReadTimeout, gocql.ErrCodeWriteTimeout, gocql.ErrCodeServer, gocql.ErrCodeCASWriteUnknown:
			return true
		}
	}
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || // ended with a question in hand
		strings.Contains(err.Error(), "no control connection available") || strings.Contains(err.Error(), "heartbeat failed") || // the driver has no names for them
		errors.Is(err, errAway) || errors.Is(err, ErrUnknown) || errors.As(err, &network) || errors.Is(err, gocql.ErrTimeoutNoResponse) ||
		errors.Is(err, gocql.ErrConnectionClosed) || errors.Is(err, gocql.ErrNoConnections) || errors.Is(err, gocql.ErrUnavailable) || errors.Is(err, gocql.ErrSessionClosed)
}

// centers lets hosts of the local data center in and remembers the others.
type centers struct {
	local string
	mu    sync.Mutex
	names []string
}

// Accept implements gocql.HostFilter.
func (c *centers) Accept(host *gocql.HostInfo) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if name := host.DataCenter(); name != "" && !slices.Contains(c.names, name) {
		c.names = append(c.names, name)
	}
	return host.DataCenter() == c.local
}

func (c *centers) found() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Contains(c.names, c.local)
}

func (c *centers) others() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Sorted(slices.Values(c.names))
}
