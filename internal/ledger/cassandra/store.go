// Package cassandra is the ledger of many replicas.
//
// Purpose: everything that ledger.Ledger promises, in a Cassandra of the user's own.
// [Store] is what the action service needs; [Ledger] adds the report's questions, which a
// local mirror answers (docs/adr/0020-the-report-reads-a-mirror.md).
//
// Concurrency: every method may be called from many goroutines and many processes. Of two
// writers of one version one wins, whichever replica it asked.
//
// Guarantees: a call that returned nil is on a quorum of the local data center. A docket is
// one partition; it changes with the history entries that explain the change in one
// conditional batch. The tables dockets and records are written by compare-and-set only,
// deadlines of retention included. A write whose answer was lost is settled before the call
// returns: stored, or fenced so that it never will be; only where the servers stay away does
// it return [ErrUnknown].
//
// It will not: repeat a compare-and-set, read another data center, delete what is open, or
// delete records where no report runs (its mirror knows which notices are past).
package cassandra

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	gocql "github.com/apache/cassandra-gocql-driver/v2"

	"github.com/k8guard/k8guard/internal/ledger"
)

// maxDocument bounds the JSON of one docket, history entry or record, in bytes; maxChange
// what one change of a docket may bring in all. Cassandra takes 16 MiB by default.
const (
	maxDocument = 2 << 20
	maxChange   = 8 << 20
)

// ErrUnknown says that a write may have been stored or may yet be: the servers stayed away
// while it was asked. Nothing is lost by loading and judging again.
var ErrUnknown = errors.New("ledger: unknown whether it was stored")

var (
	_ ledger.Dockets = (*Store)(nil)
	_ ledger.Records = (*Store)(nil)
)

// Store is dockets and records. Close it to free its connections.
type Store struct {
	session  *gocql.Session
	settings Settings
	codec    codec
	turns    *turns
	recall   recall
	id       string
	now      func() time.Time
	log      *slog.Logger
	placed   atomic.Int64 // the last place given out
}

// Open connects, and brings the tables up to date if the settings allow it.
func Open(ctx context.Context, settings Settings) (*Store, error) {
	if err := migrate(ctx, settings); err != nil {
		return nil, fmt.Errorf("open ledger: %w", err)
	}
	session, err := connect(settings, settings.Keyspace)
	if err != nil {
		return nil, fmt.Errorf("open ledger: %w", err)
	}
	codec, err := newCodec()
	if err != nil {
		closed(session, settings.Timeout)
		return nil, fmt.Errorf("open ledger: %w", err)
	}
	s := &Store{session: session, codec: codec, turns: newTurns(), settings: settings, now: settings.Now, log: settings.Log}
	if err := s.identify(ctx); err != nil {
		closed(session, settings.Timeout)
		return nil, fmt.Errorf("open ledger: %w", err)
	}
	return s, nil
}

func (s *Store) identify(ctx context.Context) error {
	var id gocql.UUID
	if err := s.read("SELECT ledger FROM schema_state WHERE id = 'ledger'").ScanContext(ctx, &id); err != nil {
		return fmt.Errorf("read the ledger's identity: %w", err)
	}
	s.id = id.String()
	return nil
}

// ID is the identity that the ledger got when its tables were made.
func (s *Store) ID() string { return s.id }

// Ping asks the local data center for a quorum: nil says that reads are served.
func (s *Store) Ping(ctx context.Context) error {
	var version int
	if err := s.read("SELECT version FROM schema_state WHERE id = 'ledger'").ScanContext(ctx, &version); err != nil {
		return fmt.Errorf("the ledger (Cassandra at %v) does not answer: %w", s.settings.Hosts, err)
	}
	return nil
}

// Close ends the connections. Calls that are under way fail.
func (s *Store) Close() error {
	if !closed(s.session, s.settings.Timeout) {
		s.log.Warn("the Cassandra driver does not end; what is left of it goes with the process")
	}
	return nil
}

// read is a query that may be repeated.
func (s *Store) read(statement string, values ...any) *gocql.Query {
	return s.session.Query(statement, values...).Idempotent(true).RetryPolicy(again())
}

// write is a plain write that may be repeated: it carries its own timestamp.
func (s *Store) write(ctx context.Context, statement string, values ...any) error {
	return s.session.Query(statement, values...).Idempotent(true).RetryPolicy(again()).ExecContext(ctx)
}

func again() gocql.RetryPolicy {
	return &gocql.ExponentialBackoffRetryPolicy{NumRetries: 2, Min: 50 * time.Millisecond, Max: time.Second}
}
