package cassandra

import (
	"context"
	"errors"
	"fmt"

	gocql "github.com/apache/cassandra-gocql-driver/v2"

	"github.com/k8guard/k8guard/internal/ledger"
)

// Get implements ledger.Records.
func (s *Store) Get(ctx context.Context, key string) (ledger.Record, error) {
	r := ledger.Record{Key: key}
	err := s.read("SELECT version, value FROM records WHERE key = ?", key).ScanContext(ctx, &r.Version, &r.Value)
	if err != nil && !errors.Is(err, gocql.ErrNotFound) {
		return ledger.Record{}, fmt.Errorf("get record %q: %w", key, err)
	}
	return r, nil
}

// Put implements ledger.Records.
func (s *Store) Put(ctx context.Context, r ledger.Record) (int64, error) {
	if err := s.put(ctx, r); err != nil {
		return 0, fmt.Errorf("put record %q: %w", r.Key, err)
	}
	return r.Version + 1, nil
}

func (s *Store) put(ctx context.Context, r ledger.Record) error {
	if err := size(len(r.Value), maxDocument); err != nil {
		return err
	}
	return s.turns.take(ctx, r.Key, func() error { return s.replaceRecord(ctx, r) })
}

func (s *Store) replaceRecord(ctx context.Context, r ledger.Record) error {
	was, err := s.recordHead(ctx, r.Key, gocql.LocalQuorum)
	if err != nil {
		return err
	}
	if was.version != r.Version {
		return ledger.ErrConflict
	}
	return s.writeRecord(ctx, r, r.Version+1, was)
}

// writeRecord gives the record its value and this version, in the place of what was there.
func (s *Store) writeRecord(ctx context.Context, r ledger.Record, version int64, was head) error {
	id := gocql.MustRandomUUID()
	value := r.Value
	if value == nil {
		value = []byte{} // nil would be a tombstone
	}
	return s.change(ctx, record{s, r.Key}, was, id, func(ctx context.Context) (bool, error) {
		return s.session.Query("UPDATE records SET version = ?, value = ?, write_id = ?, writes = ? WHERE key = ? IF version = ? AND write_id = ?",
			version, value, id, was.push(id), r.Key, was.expected(), nullable(was.writeID)).MapScanCASContext(ctx, map[string]any{})
	})
}

// forget deletes a record as it is; one that is written at the same moment stays.
func (s *Store) forget(ctx context.Context, key string) error {
	was, err := s.recordHead(ctx, key, gocql.LocalQuorum)
	if err == nil && was.version != 0 {
		_, err = s.session.Query("DELETE FROM records WHERE key = ? IF version = ? AND write_id = ?", key, was.version, nullable(was.writeID)).
			MapScanCASContext(ctx, map[string]any{})
	}
	if err != nil {
		return fmt.Errorf("delete record %q, past its retention: %w", key, err)
	}
	return nil
}

func (s *Store) recordHead(ctx context.Context, key string, level gocql.Consistency) (h head, err error) {
	err = s.read("SELECT version, write_id, writes FROM records WHERE key = ?", key).Consistency(level).
		ScanContext(ctx, &h.version, &h.writeID, &h.writes)
	if errors.Is(err, gocql.ErrNotFound) {
		return head{}, nil
	}
	return h, err
}

// record is a record as a target of compare-and-set.
type record struct {
	s   *Store
	key string
}

func (r record) fence(ctx context.Context, was head, id gocql.UUID) (bool, error) {
	ttl := 0
	if was.version == 0 {
		ttl = fenceKept
	}
	return r.s.session.Query("UPDATE records USING TTL ? SET write_id = ? WHERE key = ? IF version = ? AND write_id = ?",
		ttl, id, r.key, was.expected(), nullable(was.writeID)).MapScanCASContext(ctx, map[string]any{})
}

func (r record) serial(ctx context.Context) (head, error) {
	return r.s.recordHead(ctx, r.key, gocql.LocalSerial)
}
