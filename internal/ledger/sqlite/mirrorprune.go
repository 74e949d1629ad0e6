package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Past returns the keys of the notices that the next [Mirror.Prune] with the same time lets
// go: no docket speaks of them but those that are past it.
func (m *Mirror) Past(ctx context.Context, before time.Time) ([]string, error) {
	rows, err := m.read.QueryContext(ctx, `SELECT DISTINCT n.key
		FROM (SELECT cluster, root FROM dockets WHERE closed > 0 AND closed < ?1 ORDER BY closed LIMIT ?2) d
		JOIN notices n ON n.cluster = d.cluster AND n.root = d.root
		WHERE NOT EXISTS (SELECT 1 FROM notices o JOIN dockets od ON od.cluster = o.cluster AND od.root = o.root
			WHERE o.key = n.key AND NOT (od.closed > 0 AND od.closed < ?1))`, micros(before), pruneDockets)
	keys, err := collect(rows, err, func(rows *sql.Rows) (key string, err error) { err = rows.Scan(&key); return key, err })
	if err != nil {
		return nil, fmt.Errorf("list notices past their retention: %w", err)
	}
	return keys, nil
}

// Prune is [Ledger.Prune], and forgets how much of what is gone was here.
func (m *Mirror) Prune(ctx context.Context, before time.Time) (more bool, err error) {
	if more, err = m.Ledger.Prune(ctx, before); err != nil || more {
		return more, err
	}
	_, err = m.write.ExecContext(ctx, `DELETE FROM mirror_dockets WHERE NOT EXISTS
		(SELECT 1 FROM dockets d WHERE d.cluster = mirror_dockets.cluster AND d.root = mirror_dockets.root)`)
	return false, remedy(err)
}
