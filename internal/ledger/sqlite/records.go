package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/k8guard/k8guard/internal/ledger"
)

// Get implements ledger.Records.
func (l *Ledger) Get(ctx context.Context, key string) (ledger.Record, error) {
	return getRecord(ctx, l.read, key)
}

func getRecord(ctx context.Context, on asker, key string) (ledger.Record, error) {
	r := ledger.Record{Key: key}
	err := on.QueryRowContext(ctx, "SELECT version, value FROM records WHERE key = ?", key).
		Scan(&r.Version, &r.Value)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return ledger.Record{}, fmt.Errorf("get record %q: %w", key, err)
	}
	return r, nil
}

// Put implements ledger.Records.
func (l *Ledger) Put(ctx context.Context, r ledger.Record) (int64, error) {
	if err := bounded(r.Value); err != nil {
		return 0, fmt.Errorf("put record %q: %w", r.Key, err)
	}
	err := l.transact(ctx, func(tx *sql.Tx) error { return putRecord(ctx, tx, r) })
	if err != nil {
		return 0, fmt.Errorf("put record %q: %w", r.Key, err)
	}
	return r.Version + 1, nil
}

func putRecord(ctx context.Context, tx *sql.Tx, r ledger.Record) error {
	value := r.Value
	if value == nil {
		value = []byte{} // nil would be NULL
	}
	if r.Version == 0 {
		return one(tx.ExecContext(ctx,
			"INSERT INTO records (key, version, value) VALUES (?, 1, ?) ON CONFLICT DO NOTHING", r.Key, value))
	}
	return one(tx.ExecContext(ctx,
		"UPDATE records SET version = version + 1, value = ? WHERE key = ? AND version = ?", value, r.Key, r.Version))
}
