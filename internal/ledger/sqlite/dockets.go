package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
)

// Load implements ledger.Dockets.
func (l *Ledger) Load(ctx context.Context, key docket.Key) (docket.Docket, error) {
	row := l.read.QueryRowContext(ctx,
		"SELECT version, doc FROM dockets WHERE cluster = ? AND root = ?", key.Cluster, key.Root)
	d, err := scanDocket(row)
	if errors.Is(err, sql.ErrNoRows) {
		return docket.Docket{Key: key}, nil
	}
	if err != nil {
		return docket.Docket{}, fmt.Errorf("load docket %q: %w", key, err)
	}
	return d, nil
}

func scanDocket(row *sql.Row) (docket.Docket, error) {
	var d docket.Docket
	var version int64
	var doc []byte
	if err := row.Scan(&version, &doc); err != nil {
		return d, err
	}
	err := json.Unmarshal(doc, &d)
	d.Version = version
	return d, err
}

// CompareAndSet implements ledger.Dockets.
func (l *Ledger) CompareAndSet(ctx context.Context, next docket.Docket, entries []docket.Entry) (int64, error) {
	expected := next.Version
	next.Version++
	doc, err := document(next)
	if err != nil {
		return 0, fmt.Errorf("store docket %q: %w", next.Key, err)
	}
	err = l.transact(ctx, func(tx *sql.Tx) error {
		if err := l.putDocket(ctx, tx, next, expected, doc); err != nil {
			return err
		}
		if err := project(ctx, tx, next); err != nil {
			return err
		}
		return l.appendHistory(ctx, tx, next, entries)
	})
	if err != nil {
		return 0, fmt.Errorf("store docket %q: %w", next.Key, err)
	}
	return next.Version, nil
}

// project brings up to date what the report asks of a docket.
func project(ctx context.Context, tx *sql.Tx, d docket.Docket) error {
	for _, one := range []func(context.Context, *sql.Tx, docket.Docket) error{replaceCases, replaceAct, addNotices} {
		if err := one(ctx, tx, d); err != nil {
			return err
		}
	}
	return nil
}

func (l *Ledger) putDocket(ctx context.Context, tx *sql.Tx, d docket.Docket, expected int64, doc []byte) error {
	state := ""
	if d.Enforcement != nil {
		state = string(d.Enforcement.State)
	}
	args := []any{d.Key.Bucket(), d.Version, d.Live(), state, micros(d.ObservedAt), string(doc),
		l.closed(d), ledger.Home(d.Root), d.Key.Cluster, d.Key.Root}
	if expected == 0 {
		return one(tx.ExecContext(ctx, `INSERT INTO dockets
			(bucket, version, live, enforcement, observed, doc, closed, home, cluster, root)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`, args...))
	}
	return one(tx.ExecContext(ctx, `UPDATE dockets
		SET bucket = ?1, version = ?2, live = ?3, enforcement = ?4, observed = ?5, doc = ?6,
			closed = CASE WHEN ?7 = 0 OR closed = 0 THEN ?7 ELSE closed END, home = ?8
		WHERE cluster = ?9 AND root = ?10 AND version = ?11`, append(args, expected)...))
}

// one turns "no row was written" into a conflict.
func one(result sql.Result, err error) error {
	if err != nil {
		return err
	}
	n, err := result.RowsAffected()
	if err == nil && n == 0 {
		return ledger.ErrConflict
	}
	return err
}

// OpenInBucket implements ledger.Dockets.
func (l *Ledger) OpenInBucket(ctx context.Context, bucket int) ([]docket.Key, error) {
	rows, err := l.read.QueryContext(ctx,
		"SELECT cluster, root FROM dockets WHERE live AND bucket = ? ORDER BY cluster, root", bucket)
	keys, err := collect(rows, err, scanKey)
	if err != nil {
		return nil, fmt.Errorf("list open dockets of bucket %d: %w", bucket, err)
	}
	return keys, nil
}
