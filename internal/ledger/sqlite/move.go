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

var _ ledger.Target = (*Ledger)(nil)

// asker is a connection or a transaction.
type asker interface {
	querier
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// source reads a ledger whole, over one connection or transaction. It implements ledger.Source.
type source struct{ on asker }

// Snapshot gives do the ledger of one moment, whoever writes meanwhile.
func (l *Ledger) Snapshot(ctx context.Context, do func(ledger.Source) error) error {
	tx, err := l.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return fmt.Errorf("begin a snapshot of the ledger: %w", err)
	}
	defer func() { _ = tx.Rollback() }()
	return do(source{tx})
}

// DocketKeys implements ledger.Source.
func (l *Ledger) DocketKeys(ctx context.Context) ([]docket.Key, error) {
	return source{l.read}.DocketKeys(ctx)
}

// Dossier implements ledger.Source.
func (l *Ledger) Dossier(ctx context.Context, key docket.Key) (ledger.Dossier, error) {
	return source{l.read}.Dossier(ctx, key)
}

// RecordKeys implements ledger.Source.
func (l *Ledger) RecordKeys(ctx context.Context) ([]string, error) {
	return source{l.read}.RecordKeys(ctx)
}

func (s source) DocketKeys(ctx context.Context) ([]docket.Key, error) {
	rows, err := s.on.QueryContext(ctx, "SELECT cluster, root FROM dockets ORDER BY cluster, root")
	keys, err := collect(rows, err, scanKey)
	if err != nil {
		return nil, fmt.Errorf("list dockets: %w", err)
	}
	return keys, nil
}

func (s source) RecordKeys(ctx context.Context) ([]string, error) {
	rows, err := s.on.QueryContext(ctx, "SELECT key FROM records ORDER BY key")
	keys, err := collect(rows, err, func(rows *sql.Rows) (key string, err error) {
		err = rows.Scan(&key)
		return key, err
	})
	if err != nil {
		return nil, fmt.Errorf("list records: %w", err)
	}
	return keys, nil
}

func (s source) Get(ctx context.Context, key string) (ledger.Record, error) {
	return getRecord(ctx, s.on, key)
}

func (s source) Dossier(ctx context.Context, key docket.Key) (d ledger.Dossier, err error) {
	var doc []byte
	err = s.on.QueryRowContext(ctx, "SELECT version, closed, doc FROM dockets WHERE cluster = ? AND root = ?", key.Cluster, key.Root).
		Scan(&d.Docket.Version, &d.Closed, &doc)
	if errors.Is(err, sql.ErrNoRows) {
		return ledger.Dossier{Docket: docket.Docket{Key: key}}, nil
	}
	if err == nil {
		version := d.Docket.Version
		err = json.Unmarshal(doc, &d.Docket)
		d.Docket.Version = version
	}
	if err == nil {
		d.Lines, err = s.lines(ctx, key)
	}
	if err != nil {
		return ledger.Dossier{}, fmt.Errorf("read docket %q: %w", key, err)
	}
	return d, nil
}

// lines leaves out those of an earlier life, which are being deleted.
func (s source) lines(ctx context.Context, key docket.Key) ([]ledger.Placed, error) {
	rows, err := s.on.QueryContext(ctx, `SELECT h.seq, h.rule, h.doc FROM history h WHERE h.cluster = ?1 AND h.root = ?2
		AND h.seq > coalesce((SELECT upto FROM doomed WHERE cluster = ?1 AND root = ?2), -9223372036854775808) ORDER BY h.seq`, key.Cluster, key.Root)
	return collect(rows, err, func(rows *sql.Rows) (p ledger.Placed, err error) {
		var doc []byte
		var rule string
		if err = rows.Scan(&p.Place, &rule, &doc); err == nil {
			err = json.Unmarshal(doc, &p.Line)
		}
		p.Line.Seq, p.Line.Rule = 0, rule
		return p, err
	})
}

// Restore implements ledger.Target, in one transaction.
func (l *Ledger) Restore(ctx context.Context, all ...ledger.Dossier) error {
	return l.transact(ctx, func(tx *sql.Tx) error {
		for _, d := range all {
			if err := restore(ctx, tx, d); err != nil {
				return fmt.Errorf("restore docket %q: %w", d.Docket.Key, err)
			}
		}
		return nil
	})
}

func restore(ctx context.Context, tx *sql.Tx, d ledger.Dossier) error {
	doc, err := document(d.Docket)
	if err != nil {
		return err
	}
	k, state := d.Docket.Key, ""
	if d.Docket.Enforcement != nil {
		state = string(d.Docket.Enforcement.State)
	}
	if err := one(tx.ExecContext(ctx, `INSERT INTO dockets (cluster, root, bucket, version, live, enforcement, observed, doc, closed, home)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		k.Cluster, k.Root, k.Bucket(), d.Docket.Version, d.Docket.Live(), state, micros(d.Docket.ObservedAt), string(doc), d.Closed, ledger.Home(d.Docket.Root))); err != nil {
		return err
	}
	if err := project(ctx, tx, d.Docket); err != nil {
		return err
	}
	last := int64(0)
	for _, line := range d.Lines {
		// Of two of one place, which a ledger of many writers may have, the later goes behind.
		if last, err = free(ctx, tx, max(line.Place, last+1)); err != nil {
			return err
		}
		line.Line.Seq = 0
		if err := appendLine(ctx, tx, last, line.Line); err != nil {
			return err
		}
	}
	return nil
}

// RestoreRecords implements ledger.Target, in one transaction.
func (l *Ledger) RestoreRecords(ctx context.Context, all ...ledger.Record) error {
	return l.transact(ctx, func(tx *sql.Tx) error {
		for _, r := range all {
			if err := bounded(r.Value); err != nil {
				return fmt.Errorf("restore record %q: %w", r.Key, err)
			}
			if err := one(tx.ExecContext(ctx, "INSERT INTO records (key, version, value) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
				r.Key, r.Version, append([]byte{}, r.Value...))); err != nil {
				return fmt.Errorf("restore record %q: %w", r.Key, err)
			}
		}
		return nil
	})
}
