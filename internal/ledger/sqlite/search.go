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

// indexCases brings the index of a docket's cases up to date and returns their rows in it;
// most changes of a docket touch none of their words.
func indexCases(ctx context.Context, tx *sql.Tx, d docket.Docket) (map[string]int64, error) {
	known, err := indexed(ctx, tx, d.Key)
	if err != nil {
		return nil, err
	}
	docids := make(map[string]int64, len(d.Cases))
	for _, c := range d.Cases {
		text := body(d.Root.Kind, d.Root.Namespace, d.Root.Name, c.Rule, c.Source, c.Message, c.Evidence, d.Cluster,
			strings.Join(d.Owner.Emails, " "))
		if old, there := known[c.ID]; there && old.body == text {
			docids[c.ID] = old.docid
			delete(known, c.ID)
			continue
		}
		if err := unindex(ctx, tx, known[c.ID].docid); err != nil {
			return nil, err
		}
		delete(known, c.ID)
		if docids[c.ID], err = index(ctx, tx, d.Key, c.ID, text); err != nil {
			return nil, err
		}
	}
	for _, gone := range known {
		if err := unindex(ctx, tx, gone.docid); err != nil {
			return nil, err
		}
	}
	return docids, nil
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

func index(ctx context.Context, tx *sql.Tx, key docket.Key, id, text string) (docid int64, err error) {
	stored, err := tx.ExecContext(ctx, "INSERT INTO case_search (case_id, cluster, root, body) VALUES (?, ?, ?, ?)", id, key.Cluster, key.Root, text)
	if err == nil {
		docid, err = stored.LastInsertId()
	}
	if err == nil {
		_, err = tx.ExecContext(ctx, "INSERT INTO case_text (rowid, body) VALUES (?, ?)", docid, text)
	}
	return docid, err
}

// unindex takes a row out; 0 is none.
func unindex(ctx context.Context, tx *sql.Tx, docid int64) error {
	if docid == 0 {
		return nil
	}
	if _, err := tx.ExecContext(ctx, "DELETE FROM case_text WHERE rowid = ?", docid); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, "DELETE FROM case_search WHERE docid = ?", docid)
	return err
}
