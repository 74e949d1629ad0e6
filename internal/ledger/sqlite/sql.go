package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// transact runs do in one transaction; an error from it undoes everything.
func (l *Ledger) transact(ctx context.Context, do func(*sql.Tx) error) error {
	tx, err := l.write.BeginTx(ctx, nil)
	if err != nil {
		return remedy(err)
	}
	defer func() { _ = tx.Rollback() }()
	if err := do(tx); err != nil {
		return remedy(err)
	}
	return remedy(tx.Commit())
}

// remedy says what to do about a full disk, which only a person can mend.
func remedy(err error) error {
	if failed, ok := errors.AsType[*sqlite.Error](err); ok && failed.Code()&0xff == sqlite3.SQLITE_FULL {
		return fmt.Errorf("%w; make room where data.dir lies: nothing is lost, and it goes on by itself", err)
	}
	return err
}

// querier is a connection or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// collect reads every row and closes them; it takes the error of the query as well.
func collect[T any](rows *sql.Rows, err error, scan func(*sql.Rows) (T, error)) ([]T, error) {
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var all []T
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, rows.Err()
}

// maxPageBytes ends a page early: what tenants wrote may be long.
const maxPageBytes = 8 << 20

// collectPage reads at most limit rows and about maxPageBytes of documents, at least one
// row, and says whether there are more. The query asks for one row more than the limit.
func collectPage[T any](rows *sql.Rows, err error, limit int, scan func(*sql.Rows) (v T, bytes int, err error)) (page []T, more bool, _ error) {
	if err != nil {
		return nil, false, err
	}
	defer func() { _ = rows.Close() }()
	total := 0
	for rows.Next() {
		if len(page) == limit || total > maxPageBytes {
			return page, true, nil
		}
		v, bytes, err := scan(rows)
		if err != nil {
			return nil, false, err
		}
		page, total = append(page, v), total+bytes
	}
	return page, false, rows.Err()
}

// scanJSON reads a row whose only column is a document.
func scanJSON[T any](rows *sql.Rows) (v T, bytes int, err error) {
	var doc []byte
	if err := rows.Scan(&doc); err != nil {
		return v, 0, err
	}
	v, err = fromJSON[T](doc)
	return v, len(doc), err
}

func fromJSON[T any](doc []byte) (v T, err error) {
	err = json.Unmarshal(doc, &v)
	return v, err
}

// document marshals v within the bound.
func document(v any) ([]byte, error) {
	doc, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return doc, bounded(doc)
}

func bounded(doc []byte) error {
	if len(doc) > MaxDocument {
		return fmt.Errorf("%w: %d bytes, at most %d are kept", ErrTooLarge, len(doc), MaxDocument)
	}
	return nil
}

func limited(limit, most int) error {
	if limit < 1 || limit > most {
		return fmt.Errorf("limit %d: ask for 1 to %d", limit, most)
	}
	return nil
}
