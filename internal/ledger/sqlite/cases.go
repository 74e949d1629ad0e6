package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/rule"
)

const (
	defaultPage = 50
	maxPage     = 500
)

// replaceCases writes the docket's cases anew: they are few, and what is gone must go.
func replaceCases(ctx context.Context, tx *sql.Tx, d docket.Docket) error {
	const mine = "cluster = ? AND root = ?"
	if _, err := tx.ExecContext(ctx, "DELETE FROM owners WHERE case_id IN (SELECT id FROM cases WHERE "+mine+")",
		d.Key.Cluster, d.Key.Root); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "DELETE FROM cases WHERE "+mine, d.Key.Cluster, d.Key.Root); err != nil {
		return err
	}
	docids, err := indexCases(ctx, tx, d)
	if err != nil {
		return err
	}
	for _, c := range d.Cases {
		if err := insertCase(ctx, tx, d, c, docids[c.ID]); err != nil {
			return fmt.Errorf("case %q: %w", c.ID, err)
		}
	}
	return nil
}

func insertCase(ctx context.Context, tx *sql.Tx, d docket.Docket, c docket.Case, docid int64) error {
	confirmed, _ := c.Count(d.OwnerOf(c.Rule).Key())
	status := ledger.Status(d, c)
	doc, err := document(ledger.CaseRow{ID: c.ID, Docket: d.Key, Cluster: d.Cluster, Root: d.Root,
		Owner: d.OwnerOf(c.Rule), Status: status, Confirmed: confirmed, Case: c})
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO cases (id, cluster, root, cluster_name, kind, namespace,
		rule, severity, rank, status, seen, opened, due, docid, home, doc) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		c.ID, d.Key.Cluster, d.Key.Root, d.Cluster, d.Root.Kind, d.Root.Namespace,
		c.Rule, c.Severity, rank(c.Severity), status, micros(c.FirstSeen), micros(c.OpenedAt), due(c), docid, ledger.Home(d.Root), string(doc))
	if err != nil {
		return err
	}
	emails := d.OwnerOf(c.Rule).Emails
	if len(emails) == 0 {
		emails = []string{""}
	}
	for _, email := range emails {
		if _, err := tx.ExecContext(ctx, "INSERT INTO owners (email, case_id, status, due) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
			email, c.ID, status, due(c)); err != nil {
			return err
		}
	}
	return nil
}

// due is when the case's next step is, 0 if it has no date.
func due(c docket.Case) int64 {
	_, at := ledger.Next(c)
	if c.State == docket.Resolved {
		return 0
	}
	return micros(at)
}

// rank orders severities, 0 worst; one that we do not know comes last.
func rank(severity string) int {
	switch rule.Severity(severity) {
	case rule.Critical:
		return 0
	case rule.High:
		return 1
	case rule.Medium:
		return 2
	case rule.Low:
		return 3
	}
	return 4
}

// Cases implements ledger.Projections.
func (l *Ledger) Cases(ctx context.Context, q ledger.CaseQuery) (ledger.CasePage, error) {
	if q.Limit == 0 {
		q.Limit = defaultPage
	}
	page, err := l.cases(ctx, q)
	if err != nil {
		return ledger.CasePage{}, fmt.Errorf("list cases: %w", err)
	}
	return page, nil
}

func (l *Ledger) cases(ctx context.Context, q ledger.CaseQuery) (page ledger.CasePage, err error) {
	if err := limited(q.Limit, maxPage); err != nil {
		return page, err
	}
	start, err := read[cursor](q.Cursor)
	if err != nil {
		return page, err
	}
	// One snapshot, so that the total and the page agree.
	tx, err := l.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return page, err
	}
	defer func() { _ = tx.Rollback() }()
	where, args := filter(q)
	if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM cases WHERE "+where, args...).Scan(&page.Total); err != nil {
		return page, err
	}
	where, args = start.after(where, args)
	var more bool
	page.Rows, more, err = selectCases(ctx, tx, where, args, q.Limit)
	if more {
		page.Next = write(cursorOf(page.Rows[len(page.Rows)-1].Case))
	}
	return page, err
}

func selectCases(ctx context.Context, on querier, where string, args []any, limit int) ([]ledger.CaseRow, bool, error) {
	rows, err := on.QueryContext(ctx, "SELECT doc FROM cases WHERE "+where+
		" ORDER BY rank, seen DESC, id LIMIT ?", append(args, limit+1)...)
	return collectPage(rows, err, limit, scanJSON[ledger.CaseRow])
}

// Case implements ledger.Projections.
func (l *Ledger) Case(ctx context.Context, id string) (docket.Docket, error) {
	d, err := scanDocket(l.read.QueryRowContext(ctx, `SELECT d.version, d.doc FROM cases c
		JOIN dockets d ON d.cluster = c.cluster AND d.root = c.root WHERE c.id = ?`, id))
	if errors.Is(err, sql.ErrNoRows) {
		err = ledger.ErrNotFound
	}
	if err != nil {
		return docket.Docket{}, fmt.Errorf("find case %q: %w", id, err)
	}
	return d, nil
}
