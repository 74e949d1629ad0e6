package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
)

// Overview implements ledger.Projections. Newest is the time of the newest observation
// that any docket holds; an undo that is under way still counts as acted.
func (l *Ledger) Overview(ctx context.Context) (ledger.Overview, error) {
	o, err := l.overview(ctx)
	if err != nil {
		return ledger.Overview{}, fmt.Errorf("overview: %w", err)
	}
	return o, nil
}

func (l *Ledger) overview(ctx context.Context) (o ledger.Overview, err error) {
	tx, err := l.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return o, err
	}
	defer func() { _ = tx.Rollback() }()
	const counted = " FROM cases WHERE status NOT IN ('standing', 'resolved') GROUP BY 1"
	if o.ByStatus, err = tally(ctx, tx, "SELECT status, count(*) FROM cases GROUP BY 1"); err != nil {
		return o, err
	}
	if o.ByRule, err = tally(ctx, tx, "SELECT rule, count(*)"+counted); err != nil {
		return o, err
	}
	if o.BySeverity, err = tally(ctx, tx, "SELECT severity, count(*)"+counted); err != nil {
		return o, err
	}
	if o.ByNamespace, err = counts(ctx, tx, `SELECT namespace, count(*) FROM cases
		WHERE status <> 'resolved' AND namespace <> '' GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 10`); err != nil {
		return o, err
	}
	acts, err := tally(ctx, tx, "SELECT enforcement, count(*) FROM dockets WHERE enforcement <> '' GROUP BY 1")
	if err != nil {
		return o, err
	}
	o.Acted = acts[string(docket.Done)] + acts[string(docket.Undoing)]
	o.Undone = acts[string(docket.Undid)]
	var newest int64
	err = tx.QueryRowContext(ctx, "SELECT coalesce(max(observed), 0) FROM dockets").Scan(&newest)
	if newest != 0 {
		o.Newest = time.UnixMicro(newest).UTC()
	}
	return o, err
}

func counts(ctx context.Context, on querier, query string) ([]ledger.Count, error) {
	rows, err := on.QueryContext(ctx, query)
	return collect(rows, err, func(rows *sql.Rows) (c ledger.Count, err error) {
		err = rows.Scan(&c.Name, &c.N)
		return c, err
	})
}

func tally(ctx context.Context, on querier, query string) (map[string]int, error) {
	all, err := counts(ctx, on, query)
	byName := make(map[string]int, len(all))
	for _, c := range all {
		byName[c.Name] = c.N
	}
	return byName, err
}
