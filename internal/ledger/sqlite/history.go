package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
)

const maxLines = 1000

func (l *Ledger) appendHistory(ctx context.Context, tx *sql.Tx, d docket.Docket, entries []docket.Entry) error {
	for _, e := range entries {
		if e.At.IsZero() {
			e.At = l.now()
		}
		doc, err := document(ledger.Line{Docket: d.Key, Cluster: d.Cluster, Root: d.Root, Entry: e})
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx,
			"INSERT INTO history (cluster, root, at, kind, case_id, doc) VALUES (?, ?, ?, ?, ?, ?)",
			d.Key.Cluster, d.Key.Root, micros(e.At), e.Kind, e.Case, string(doc))
		if err != nil {
			return err
		}
	}
	return nil
}

// History implements ledger.Projections.
func (l *Ledger) History(ctx context.Context, key docket.Key, after int64, limit int) ([]ledger.Line, error) {
	if err := limited(limit, maxLines); err != nil {
		return nil, fmt.Errorf("history of %q: %w", key, err)
	}
	rows, err := l.read.QueryContext(ctx, `SELECT seq, doc FROM history
		WHERE cluster = ? AND root = ? AND seq > ? ORDER BY seq LIMIT ?`, key.Cluster, key.Root, after, limit)
	lines, err := collect(rows, err, scanLine)
	if err != nil {
		return nil, fmt.Errorf("history of %q: %w", key, err)
	}
	return lines, nil
}

// Latest implements ledger.Projections.
func (l *Ledger) Latest(ctx context.Context, key docket.Key, limit int) ([]ledger.Line, error) {
	if err := limited(limit, maxLines); err != nil {
		return nil, fmt.Errorf("latest history of %q: %w", key, err)
	}
	rows, err := l.read.QueryContext(ctx, `SELECT seq, doc FROM history
		WHERE cluster = ? AND root = ? ORDER BY seq DESC LIMIT ?`, key.Cluster, key.Root, limit)
	lines, err := collect(rows, err, scanLine)
	if err != nil {
		return nil, fmt.Errorf("latest history of %q: %w", key, err)
	}
	slices.Reverse(lines)
	return lines, nil
}

// Recent implements ledger.Projections. The limit is 1 to 1000.
func (l *Ledger) Recent(ctx context.Context, limit int) ([]ledger.Line, error) {
	if err := limited(limit, maxLines); err != nil {
		return nil, fmt.Errorf("recent history: %w", err)
	}
	rows, err := l.read.QueryContext(ctx, "SELECT seq, doc FROM history ORDER BY seq DESC LIMIT ?", limit)
	lines, err := collect(rows, err, scanLine)
	if err != nil {
		return nil, fmt.Errorf("recent history: %w", err)
	}
	return lines, nil
}

func scanLine(rows *sql.Rows) (ledger.Line, error) {
	var line ledger.Line
	var seq int64
	var doc []byte
	if err := rows.Scan(&seq, &doc); err != nil {
		return line, err
	}
	err := json.Unmarshal(doc, &line)
	line.Seq = seq
	return line, err
}
