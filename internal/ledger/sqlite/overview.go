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
func (l *Ledger) Overview(ctx context.Context, part ledger.Part) (ledger.Overview, error) {
	o, err := l.overview(ctx, part)
	if err != nil {
		return ledger.Overview{}, fmt.Errorf("overview: %w", err)
	}
	return o, nil
}

func (l *Ledger) overview(ctx context.Context, part ledger.Part) (o ledger.Overview, err error) {
	tx, err := l.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return o, err
	}
	defer func() { _ = tx.Rollback() }()
	within, args := inPart(part, "+")
	ours, _ := inPart(part, "") // of dockets, by their index
	counted := " FROM cases WHERE " + within + " AND status NOT IN ('standing', 'resolved') GROUP BY 1"
	if o.ByStatus, err = tally(ctx, tx, "SELECT status, count(*) FROM cases WHERE "+within+" GROUP BY 1", args); err != nil {
		return o, err
	}
	if o.ByRule, err = tally(ctx, tx, "SELECT rule, count(*)"+counted, args); err != nil {
		return o, err
	}
	if o.BySeverity, err = tally(ctx, tx, "SELECT severity, count(*)"+counted, args); err != nil {
		return o, err
	}
	if o.ByNamespace, err = counts(ctx, tx, "SELECT namespace, count(*) FROM cases WHERE "+within+
		" AND status <> 'resolved' AND namespace <> '' GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 10", args); err != nil {
		return o, err
	}
	acts, err := tally(ctx, tx, "SELECT enforcement, count(*) FROM dockets WHERE "+ours+" AND enforcement <> '' GROUP BY 1", args)
	if err != nil {
		return o, err
	}
	o.Acted = acts[string(docket.Done)] + acts[string(docket.Undoing)]
	o.Undone = acts[string(docket.Undid)]
	var newest int64
	err = tx.QueryRowContext(ctx, "SELECT coalesce(max(observed), 0) FROM dockets WHERE "+ours, args...).Scan(&newest)
	if newest != 0 {
		o.Newest = time.UnixMicro(newest).UTC()
	}
	return o, err
}

// Spaces implements ledger.Projections.
func (l *Ledger) Spaces(ctx context.Context) ([]ledger.Space, error) {
	rows, err := l.read.QueryContext(ctx, "SELECT DISTINCT cluster, home FROM dockets ORDER BY 1, 2")
	list, err := collect(rows, err, func(rows *sql.Rows) (s ledger.Space, err error) {
		err = rows.Scan(&s.Cluster, &s.Namespace)
		return s, err
	})
	if err != nil {
		return nil, fmt.Errorf("list namespaces: %w", err)
	}
	return list, nil
}

func counts(ctx context.Context, on querier, query string, args []any) ([]ledger.Count, error) {
	rows, err := on.QueryContext(ctx, query, args...)
	return collect(rows, err, func(rows *sql.Rows) (c ledger.Count, err error) {
		err = rows.Scan(&c.Name, &c.N)
		return c, err
	})
}

func tally(ctx context.Context, on querier, query string, args []any) (map[string]int, error) {
	all, err := counts(ctx, on, query, args)
	byName := make(map[string]int, len(all))
	for _, c := range all {
		byName[c.Name] = c.N
	}
	return byName, err
}
