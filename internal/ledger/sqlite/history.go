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
		if err := appendLine(ctx, tx, nil, ledger.LineOf(d, e)); err != nil {
			return err
		}
	}
	return nil
}

// appendLine stores a line at its place in the order of writing; nil is the next one.
func appendLine(ctx context.Context, tx *sql.Tx, place any, line ledger.Line) error {
	doc, err := document(line)
	if err != nil {
		return err
	}
	at := micros(line.Entry.At)
	stored, err := tx.ExecContext(ctx,
		"INSERT INTO history (seq, cluster, root, at, kind, case_id, doc, namespace, rule, home) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		place, line.Docket.Cluster, line.Docket.Root, at, line.Entry.Kind, line.Entry.Case, string(doc), line.Root.Namespace, line.Rule, ledger.Home(line.Root))
	if err != nil {
		return err
	}
	seq, err := stored.LastInsertId()
	if err != nil {
		return err
	}
	for _, email := range line.Owners {
		if _, err := tx.ExecContext(ctx, "INSERT INTO history_owners (email, at, seq) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
			email, at, seq); err != nil {
			return err
		}
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO history_text (rowid, body, namespace, rule, kind, owners) VALUES (?, ?, ?, ?, ?, ?)",
		seq, body(line.Root.Kind, line.Root.Namespace, line.Root.Name, line.Rule, line.Entry.Text),
		body(line.Root.Namespace), line.Rule, line.Entry.Kind, body(line.Owners...))
	return err
}

// History implements ledger.Projections.
func (l *Ledger) History(ctx context.Context, key docket.Key, after int64, limit int) ([]ledger.Line, error) {
	if err := limited(limit, maxLines); err != nil {
		return nil, fmt.Errorf("history of %q: %w", key, err)
	}
	rows, err := l.read.QueryContext(ctx, `SELECT seq, rule, doc FROM history
		WHERE cluster = ? AND root = ? AND seq > ? ORDER BY seq LIMIT ?`, key.Cluster, key.Root, after, limit)
	lines, _, err := collectPage(rows, err, limit, func(rows *sql.Rows) (ledger.Line, int, error) { return scanLine(rows) })
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
	rows, err := l.read.QueryContext(ctx, `SELECT seq, rule, doc FROM history
		WHERE cluster = ? AND root = ? ORDER BY seq DESC LIMIT ?`, key.Cluster, key.Root, limit)
	lines, _, err := collectPage(rows, err, limit, func(rows *sql.Rows) (ledger.Line, int, error) { return scanLine(rows) })
	if err != nil {
		return nil, fmt.Errorf("latest history of %q: %w", key, err)
	}
	slices.Reverse(lines)
	return lines, nil
}

func scanLine(rows *sql.Rows, more ...any) (line ledger.Line, bytes int, err error) {
	var seq int64
	var rule string
	var doc []byte
	if err := rows.Scan(append([]any{&seq, &rule, &doc}, more...)...); err != nil {
		return line, 0, err
	}
	err = json.Unmarshal(doc, &line)
	if line.Seq == 0 { // a mirror's lines bring the number that they have where they come from
		line.Seq = seq
	}
	line.Rule = rule // rows of the first format have it in the column only
	return line, len(doc), err
}
