package sqlite

import (
	"context"
	"database/sql"
	"strings"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
)

// maxBody bounds what is indexed of one row, in bytes: the rest is kept, not found.
const maxBody = 4096

// body is what the index gets to see. A zero byte would end a text too early there.
func body(parts ...string) string {
	text := strings.ReplaceAll(strings.Join(parts, " "), "\x00", " ")
	return strings.ToValidUTF8(text[:min(len(text), maxBody)], "")
}

// match turns what someone typed into a query of the index. Each word is a quoted phrase:
// nothing in it is syntax.
func match(column, text string) string {
	var phrases []string
	for _, w := range ledger.Words(text) {
		p := phrase(w.Text)
		if w.Prefix {
			p += " *"
		}
		phrases = append(phrases, p)
	}
	if len(phrases) == 0 {
		return `""` // matches nothing
	}
	return column + " : (" + strings.Join(phrases, " AND ") + ")"
}

// phrase quotes a text. What would end it early is no letter, so that the index reads it as
// a gap all the same.
func phrase(text string) string {
	return `"` + strings.NewReplacer(`"`, " ", "\x00", " ").Replace(text) + `"`
}

// indexCases brings the index of a docket's cases up to date; most changes of a docket
// touch none of their words.
func indexCases(ctx context.Context, tx *sql.Tx, d docket.Docket) error {
	known, err := indexed(ctx, tx, d.Key)
	if err != nil {
		return err
	}
	for _, c := range d.Cases {
		text := body(d.Root.Kind, d.Root.Namespace, d.Root.Name, c.Rule, c.Source, c.Message, c.Evidence, d.Cluster,
			strings.Join(d.Owner.Emails, " "))
		old, there := known[c.ID]
		delete(known, c.ID)
		if there && old.body == text {
			continue
		}
		if there {
			if err := unindex(ctx, tx, old.docid); err != nil {
				return err
			}
		}
		if err := index(ctx, tx, d.Key, c.ID, text); err != nil {
			return err
		}
	}
	for _, gone := range known {
		if err := unindex(ctx, tx, gone.docid); err != nil {
			return err
		}
	}
	return nil
}

type searchRow struct {
	id, body string
	docid    int64
}

func indexed(ctx context.Context, tx *sql.Tx, key docket.Key) (map[string]searchRow, error) {
	rows, err := tx.QueryContext(ctx, "SELECT case_id, body, docid FROM case_search WHERE cluster = ? AND root = ?", key.Cluster, key.Root)
	list, err := collect(rows, err, func(rows *sql.Rows) (r searchRow, err error) {
		err = rows.Scan(&r.id, &r.body, &r.docid)
		return r, err
	})
	known := make(map[string]searchRow, len(list))
	for _, r := range list {
		known[r.id] = r
	}
	return known, err
}

func index(ctx context.Context, tx *sql.Tx, key docket.Key, id, text string) error {
	stored, err := tx.ExecContext(ctx, "INSERT INTO case_search (case_id, cluster, root, body) VALUES (?, ?, ?, ?)", id, key.Cluster, key.Root, text)
	if err != nil {
		return err
	}
	docid, err := stored.LastInsertId()
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO case_text (rowid, body) VALUES (?, ?)", docid, text)
	return err
}

func unindex(ctx context.Context, tx *sql.Tx, docid int64) error {
	if _, err := tx.ExecContext(ctx, "DELETE FROM case_text WHERE rowid = ?", docid); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, "DELETE FROM case_search WHERE docid = ?", docid)
	return err
}
