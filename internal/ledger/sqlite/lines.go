package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/k8guard/k8guard/internal/ledger"
)

// window bounds how many index entries one page of history looks at; a page that found too
// little in it is short and goes on behind it.
const (
	window     = 20_000
	textWindow = 2_000 // each of these costs a look at its row, too
)

// place is where a page of history ended.
type place struct {
	At  int64 `json:"a"`
	Seq int64 `json:"s"`
}

// walk is the one index that a page walks, newest first, and what it filters by on the way.
type walk struct {
	from   string // "SELECT seq, at, … FROM … WHERE …": ends in an open condition
	args   []any
	order  string
	rest   []string // conditions on the walked rows
	values []any
	most   int
}

// Lines implements ledger.Projections.
func (l *Ledger) Lines(ctx context.Context, q ledger.LineQuery) (ledger.LinePage, error) {
	if q.Limit == 0 {
		q.Limit = defaultPage
	}
	page, err := l.lines(ctx, q)
	if err != nil {
		return ledger.LinePage{}, fmt.Errorf("list history: %w", err)
	}
	return page, nil
}

func (l *Ledger) lines(ctx context.Context, q ledger.LineQuery) (page ledger.LinePage, err error) {
	if err := limited(q.Limit, maxLines); err != nil {
		return page, err
	}
	start, err := read[place](q.Cursor)
	if err != nil {
		return page, err
	}
	w := byColumn(q, start)
	if q.Text != "" {
		w = byText(q, start)
	}
	inner := w.from + " ORDER BY " + w.order + " LIMIT ?"
	where := ""
	if len(w.rest) > 0 {
		where = " WHERE " + strings.Join(w.rest, " AND ")
	}
	tx, err := l.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return page, err
	}
	defer func() { _ = tx.Rollback() }()
	args := append(append(w.args, w.most), w.values...)
	rows, err := tx.QueryContext(ctx, "SELECT h.seq, h.rule, h.doc FROM ("+inner+") w CROSS JOIN history h ON h.seq = w.seq"+where+" LIMIT ?",
		append(args, q.Limit+1)...)
	if page.Lines, err = collect(rows, err, scanLine); err != nil {
		return page, err
	}
	if len(page.Lines) > q.Limit {
		page.Lines = page.Lines[:q.Limit]
		last := page.Lines[q.Limit-1]
		page.Next = write(place{micros(last.Entry.At), last.Seq})
		return page, nil
	}
	page.Next, err = w.behind(ctx, tx, inner)
	return page, err
}

// behind is the place after the window, or "" if the window reached the end.
func (w walk) behind(ctx context.Context, tx *sql.Tx, inner string) (string, error) {
	var p place
	var n int
	err := tx.QueryRowContext(ctx, "SELECT coalesce(min(seq), 0), coalesce(min(at), 0), count(*) FROM ("+inner+")", append(w.args, w.most)...).
		Scan(&p.Seq, &p.At, &n)
	if err != nil || n < w.most {
		return "", err
	}
	// Of the window's last moment, the least place: the rows of one moment are in it by seq.
	err = tx.QueryRowContext(ctx, "SELECT min(seq) FROM ("+inner+") WHERE at = ?", append(append(w.args, w.most), p.At)...).Scan(&p.Seq)
	return write(p), err
}

// byColumn walks the index of the narrowest filter.
func byColumn(q ledger.LineQuery, start place) walk {
	w := walk{order: "at DESC, seq DESC", most: window}
	filters := []struct{ column, value string }{{"namespace", q.Namespace}, {"rule", q.Rule}, {"kind", q.Kind}}
	switch {
	case q.Owner != "":
		w.from, w.args = "SELECT seq, at FROM history_owners WHERE email = ?", []any{q.Owner}
	case q.Namespace != "":
		w.from, w.args = "SELECT seq, at, rule, kind FROM history WHERE namespace = ?", []any{q.Namespace}
		filters[0].value = ""
	case q.Rule != "":
		w.from, w.args = "SELECT seq, at, namespace, kind FROM history WHERE rule = ?", []any{q.Rule}
		filters[1].value = ""
	case q.Kind != "":
		w.from, w.args = "SELECT seq, at FROM history WHERE kind = ?", []any{q.Kind}
		filters[2].value = ""
	default:
		w.from = "SELECT seq, at FROM history WHERE true"
	}
	table := "w."
	if q.Owner != "" {
		table, w.most = "h.", textWindow
	}
	for _, f := range filters {
		if f.value != "" {
			w.rest, w.values = append(w.rest, table+f.column+" = ?"), append(w.values, f.value)
		}
	}
	if !q.Since.IsZero() {
		w.from, w.args = w.from+" AND at >= ?", append(w.args, micros(q.Since))
	}
	if !q.Until.IsZero() {
		w.from, w.args = w.from+" AND at < ?", append(w.args, micros(q.Until))
	}
	if start.Seq != 0 {
		w.from, w.args = w.from+" AND (at, seq) < (?, ?)", append(w.args, start.At, start.Seq)
	}
	return w
}

// byText walks what the index finds, by order of writing. The words of the other filters
// narrow it; whether they are met exactly is asked of the row.
func byText(q ledger.LineQuery, start place) walk {
	w := walk{order: "rowid DESC", most: textWindow}
	query := match("body", q.Text)
	for _, f := range []struct{ column, value, condition string }{
		{"namespace", q.Namespace, "h.namespace = ?"}, {"rule", q.Rule, "h.rule = ?"}, {"kind", q.Kind, "h.kind = ?"},
		{"owners", q.Owner, "EXISTS (SELECT 1 FROM history_owners o WHERE o.email = ? AND o.at = h.at AND o.seq = h.seq)"},
	} {
		if f.value == "" {
			continue
		}
		if len(f.value) < maxBody/2 && len(ledger.Words(f.value)) == 1 && query != `""` {
			query += " AND " + f.column + " : " + phrase(f.value)
		}
		w.rest, w.values = append(w.rest, f.condition), append(w.values, f.value)
	}
	if !q.Since.IsZero() {
		w.rest, w.values = append(w.rest, "h.at >= ?"), append(w.values, micros(q.Since))
	}
	if !q.Until.IsZero() {
		w.rest, w.values = append(w.rest, "h.at < ?"), append(w.values, micros(q.Until))
	}
	w.from, w.args = "SELECT rowid AS seq, 0 AS at FROM history_text WHERE history_text MATCH ?", []any{query}
	if start.Seq != 0 {
		w.from, w.args = w.from+" AND rowid < ?", append(w.args, start.Seq)
	}
	return w
}
