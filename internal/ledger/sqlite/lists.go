package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"math"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
)

const maxList = 200

type duePlace struct {
	Due int64  `json:"d"`
	ID  string `json:"i"`
}

// Due implements ledger.Projections.
func (l *Ledger) Due(ctx context.Context, q ledger.DueQuery) (page ledger.DuePage, err error) {
	if q.Limit == 0 {
		q.Limit = defaultPage
	}
	start, err := read[duePlace](q.Cursor)
	if err == nil {
		err = limited(q.Limit, maxPage)
	}
	if err != nil {
		return page, fmt.Errorf("list steps: %w", err)
	}
	within, args := inPart(q.Part, "+")
	rows, err := l.read.QueryContext(ctx, "SELECT doc, due FROM cases WHERE "+within+ //nolint:gosec // a condition of ours; values travel as arguments
		" AND due > 0 AND due < ? AND (due, id) > (?, ?) ORDER BY due, id LIMIT ?",
		append(args, micros(q.Until), start.Due, start.ID, q.Limit+1)...)
	var dates []int64
	var more bool
	if page.Rows, more, err = collectPage(rows, err, q.Limit, scanPlaced[ledger.CaseRow](&dates)); err != nil {
		return ledger.DuePage{}, fmt.Errorf("list steps: %w", err)
	}
	if more {
		last := len(page.Rows) - 1
		page.Next = write(duePlace{dates[last], page.Rows[last].ID})
	}
	return page, nil
}

type ownerPlace struct {
	Email string `json:"e"`
}

// Owners implements ledger.Projections.
func (l *Ledger) Owners(ctx context.Context, q ledger.OwnerQuery) (ledger.OwnerPage, error) {
	if q.Limit == 0 {
		q.Limit = defaultPage
	}
	page, err := l.owners(ctx, q)
	if err != nil {
		return ledger.OwnerPage{}, fmt.Errorf("list owners: %w", err)
	}
	return page, nil
}

// ownerFound is an owner and the id of the case that comes next, "" for none.
type ownerFound struct {
	ledger.OwnerRow
	next string
}

func (l *Ledger) owners(ctx context.Context, q ledger.OwnerQuery) (page ledger.OwnerPage, err error) {
	if err := limited(q.Limit, maxList); err != nil {
		return page, err
	}
	tx, err := l.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return page, err
	}
	defer func() { _ = tx.Rollback() }()
	list, err := findOwners(ctx, tx, q)
	if err != nil {
		return page, err
	}
	if len(list) > q.Limit {
		list = list[:q.Limit]
		page.Next = write(ownerPlace{list[q.Limit-1].Email})
	}
	for _, f := range list {
		if f.next != "" {
			next, _, err := selectCases(ctx, tx, "id = ?", []any{f.next}, 1)
			if err != nil {
				return page, err
			}
			f.Next = &next[0] // of the same snapshot: it is there
		}
		page.Rows = append(page.Rows, f.OwnerRow)
	}
	return page, nil
}

// findOwners returns one more than asked for, if there is one.
func findOwners(ctx context.Context, tx *sql.Tx, q ledger.OwnerQuery) ([]ownerFound, error) {
	start, err := read[ownerPlace](q.Cursor)
	if err != nil {
		return nil, err
	}
	from := "email > ?"
	if q.Cursor == "" {
		from = "email >= ?" // the empty address, too
	}
	args := []any{start.Email}
	if within, values := inPart(q.Part, ""); len(values) > 0 {
		from, args = from+" AND case_id IN (SELECT id FROM cases WHERE "+within+")", append(args, values...)
	}
	// With one min() in it, the bare case_id is of the row that has the minimum.
	rows, err := tx.QueryContext(ctx, `SELECT email, sum(status NOT IN ('standing', 'resolved')), sum(status = 'needs-human'),
		sum(status IN ('acted', 'contested')), coalesce(min(iif(status IN ('standing', 'resolved'), NULL, nullif(due, 0))), 0), case_id
		FROM owners WHERE `+from+` GROUP BY email ORDER BY email LIMIT ?`, append(args, q.Limit+1)...)
	return collect(rows, err, func(rows *sql.Rows) (f ownerFound, err error) {
		var due int64
		if err = rows.Scan(&f.Email, &f.Open, &f.NeedsHuman, &f.Acted, &due, &f.next); due == 0 {
			f.next = ""
		}
		return f, err
	})
}

type actPlace struct {
	At  int64      `json:"a"`
	Key docket.Key `json:"k"`
}

// Acts implements ledger.Projections.
func (l *Ledger) Acts(ctx context.Context, q ledger.ActQuery) (page ledger.ActPage, err error) {
	if q.Limit == 0 {
		q.Limit = defaultPage
	}
	start, err := read[actPlace](q.Cursor)
	if q.Cursor == "" {
		start.At = math.MaxInt64
	}
	if err == nil {
		err = limited(q.Limit, maxList)
	}
	if err != nil {
		return page, fmt.Errorf("list acts: %w", err)
	}
	within, args := inPart(q.Part, "+")
	rows, err := l.read.QueryContext(ctx, "SELECT doc, at FROM acts WHERE "+within+ //nolint:gosec // a condition of ours; values travel as arguments
		" AND what = ? AND at <= ? AND (at < ? OR (cluster, root) > (?, ?)) ORDER BY at DESC, cluster, root LIMIT ?",
		append(args, q.What, start.At, start.At, start.Key.Cluster, start.Key.Root, q.Limit+1)...)
	var ats []int64
	var more bool
	if page.Rows, more, err = collectPage(rows, err, q.Limit, scanPlaced[ledger.ActRow](&ats)); err != nil {
		return ledger.ActPage{}, fmt.Errorf("list acts: %w", err)
	}
	if more {
		last := len(page.Rows) - 1
		page.Next = write(actPlace{ats[last], page.Rows[last].Docket})
	}
	return page, nil
}

// scanPlaced reads a document and the column by which its list is ordered, which it keeps.
func scanPlaced[T any](places *[]int64) func(*sql.Rows) (T, int, error) {
	return func(rows *sql.Rows) (v T, bytes int, err error) {
		var doc []byte
		var at int64
		if err := rows.Scan(&doc, &at); err != nil {
			return v, 0, err
		}
		*places = append(*places, at)
		v, err = fromJSON[T](doc)
		return v, len(doc), err
	}
}

func replaceAct(ctx context.Context, tx *sql.Tx, d docket.Docket) error {
	row, what, at := ledger.Act(d)
	if what == "" {
		_, err := tx.ExecContext(ctx, "DELETE FROM acts WHERE cluster = ? AND root = ?", d.Key.Cluster, d.Key.Root)
		return err
	}
	doc, err := document(row)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "INSERT OR REPLACE INTO acts (cluster, root, what, at, home, doc) VALUES (?, ?, ?, ?, ?, ?)",
		d.Key.Cluster, d.Key.Root, what, micros(at), ledger.Home(d.Root), string(doc))
	return err
}
