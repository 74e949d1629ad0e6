package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
)

const (
	pruneDockets = 50
	pruneLines   = 500
	// freePages is how many pages one batch gives back to the file system.
	freePages = 2000
)

// closed is since when nothing of the docket is open, 0 while anything is.
func (l *Ledger) closed(d docket.Docket) int64 {
	over := ledger.Over(d, l.now())
	if over.IsZero() {
		return 0
	}
	return max(1, micros(over))
}

// addNotices notes which notices the docket speaks of.
func addNotices(ctx context.Context, tx *sql.Tx, d docket.Docket) error {
	for _, c := range d.Cases {
		for _, n := range c.Notices {
			if _, err := tx.ExecContext(ctx, "INSERT INTO notices (key, cluster, root) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
				n.Key, d.Key.Cluster, d.Key.Root); err != nil {
				return err
			}
		}
	}
	return nil
}

// Prune deletes one small batch of what has been closed since before the given time:
// dockets, their cases, the notices that no other docket speaks of, their history, all of
// it from the search too; and gives free pages back. It returns whether there is more.
// Nothing that is open is touched, nor the history of what is.
func (l *Ledger) Prune(ctx context.Context, before time.Time) (more bool, err error) {
	dockets, lines := 0, 0
	err = l.transact(ctx, func(tx *sql.Tx) (err error) {
		if dockets, err = pruneClosed(ctx, tx, micros(before)); err != nil {
			return err
		}
		lines, err = pruneHistory(ctx, tx)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("delete what is past its retention: %w", err)
	}
	if dockets+lines == 0 {
		return false, nil
	}
	return true, l.shrink(ctx)
}

func pruneClosed(ctx context.Context, tx *sql.Tx, before int64) (int, error) {
	rows, err := tx.QueryContext(ctx, "SELECT cluster, root FROM dockets WHERE closed > 0 AND closed < ? ORDER BY closed LIMIT ?", before, pruneDockets)
	keys, err := collect(rows, err, scanKey)
	if err != nil {
		return 0, err
	}
	for _, k := range keys {
		if err := dropDocket(ctx, tx, k); err != nil {
			return 0, fmt.Errorf("docket %q: %w", k, err)
		}
	}
	return len(keys), nil
}

// dropDocket deletes all but the history, which may be long and goes in batches after it.
func dropDocket(ctx context.Context, tx *sql.Tx, k docket.Key) error {
	if err := replaceCases(ctx, tx, docket.Docket{Key: k}); err != nil {
		return err
	}
	for _, statement := range []string{
		`INSERT OR REPLACE INTO doomed SELECT ?1, ?2, max(seq) FROM history WHERE cluster = ?1 AND root = ?2 HAVING count(*) > 0`,
		`DELETE FROM records WHERE key IN (SELECT key FROM notices WHERE cluster = ?1 AND root = ?2)
			AND NOT EXISTS (SELECT 1 FROM notices n WHERE n.key = records.key AND (n.cluster, n.root) <> (?1, ?2))`,
		`DELETE FROM notices WHERE cluster = ?1 AND root = ?2`,
		`DELETE FROM acts WHERE cluster = ?1 AND root = ?2`,
		`DELETE FROM dockets WHERE cluster = ?1 AND root = ?2`,
	} {
		if _, err := tx.ExecContext(ctx, statement, k.Cluster, k.Root); err != nil {
			return err
		}
	}
	return nil
}

func pruneHistory(ctx context.Context, tx *sql.Tx) (int, error) {
	rows, err := tx.QueryContext(ctx, `SELECT h.seq FROM doomed d JOIN history h
		ON h.cluster = d.cluster AND h.root = d.root AND h.seq <= d.upto LIMIT ?`, pruneLines)
	seqs, err := collect(rows, err, func(rows *sql.Rows) (seq int64, err error) {
		err = rows.Scan(&seq)
		return seq, err
	})
	if err != nil {
		return 0, err
	}
	for _, seq := range seqs {
		for _, statement := range []string{
			"DELETE FROM history_text WHERE rowid = ?", "DELETE FROM history_owners WHERE seq = ?", "DELETE FROM history WHERE seq = ?",
		} {
			if _, err := tx.ExecContext(ctx, statement, seq); err != nil {
				return 0, err
			}
		}
	}
	if len(seqs) < pruneLines {
		_, err = tx.ExecContext(ctx, "DELETE FROM doomed")
	}
	return len(seqs), err
}

// shrink merges the search's leftovers and gives free pages back.
func (l *Ledger) shrink(ctx context.Context) error {
	for _, statement := range []string{
		"INSERT INTO history_text (history_text, rank) VALUES ('merge', 200)",
		"INSERT INTO case_text (case_text, rank) VALUES ('merge', 200)",
		fmt.Sprintf("PRAGMA incremental_vacuum(%d)", freePages),
	} {
		if _, err := l.write.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("shrink the ledger: %w", err)
		}
	}
	return nil
}

// vacuumable makes the file one that gives pages back. A file of the first format is
// written anew for it, once; where there is no room for that, its free pages are used
// again, not given back.
func vacuumable(ctx context.Context, db *sql.DB) error {
	const incremental = 2
	var mode int
	if err := db.QueryRowContext(ctx, "PRAGMA auto_vacuum").Scan(&mode); err != nil || mode == incremental {
		return err
	}
	if _, err := db.ExecContext(ctx, "PRAGMA auto_vacuum = 2"); err != nil {
		return err
	}
	_, _ = db.ExecContext(ctx, "VACUUM")
	return nil
}

func scanKey(rows *sql.Rows) (k docket.Key, err error) {
	err = rows.Scan(&k.Cluster, &k.Root)
	return k, err
}
