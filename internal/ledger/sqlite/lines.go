package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
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
	switch {
	case q.Part.Cluster != "" || q.Part.Namespaces != nil:
		w = byPart(q, start)
	case q.Text != "":
		w = byText(q, start)
	}
	// One snapshot, so that the page and the place behind it agree.
	tx, err := l.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return page, err
	}
	defer func() { _ = tx.Rollback() }()
	var more bool
	var places []int64
	if page.Lines, places, more, err = w.lines(ctx, tx, q.Limit); err != nil {
		return page, err
	}
	if more {
		last := len(page.Lines) - 1
		page.Next = write(place{micros(page.Lines[last].Entry.At), places[last]})
		return page, nil
	}
	page.Next, err = w.behind(ctx, tx)
	return page, err
}

// window is the part of the index that the page looks at.
func (w walk) window() (query string, args []any) {
	return w.from + " ORDER BY " + w.order + " LIMIT ?", append(slices.Clone(w.args), w.most)
}

// lines walks the window until it has found so many. Only the walk orders: another ORDER BY
// would read the window whole. The places are the lines' in the order of writing.
func (w walk) lines(ctx context.Context, tx *sql.Tx, limit int) (page []ledger.Line, places []int64, more bool, err error) {
	inner, args := w.window()
	query := "SELECT h.seq, h.rule, h.doc, h.seq FROM (" + inner + ") w CROSS JOIN history h ON h.seq = w.seq"
	if len(w.rest) > 0 {
		query += " WHERE " + strings.Join(w.rest, " AND ")
	}
	rows, err := tx.QueryContext(ctx, query+" LIMIT ?", append(append(args, w.values...), limit+1)...)
	page, more, err = collectPage(rows, err, limit, func(rows *sql.Rows) (ledger.Line, int, error) {
		var at int64
		line, bytes, err := scanLine(rows, &at)
		places = append(places, at)
		return line, bytes, err
	})
	return page, places, more, err
}

// behind is the place after the window, or "" if the window reached the end.
func (w walk) behind(ctx context.Context, tx *sql.Tx) (string, error) {
	inner, args := w.window()
	var p place
	var n int
	err := tx.QueryRowContext(ctx, "SELECT coalesce(min(seq), 0), coalesce(min(at), 0), count(*) FROM ("+inner+")", args...).
		Scan(&p.Seq, &p.At, &n)
	if err != nil || n < w.most {
		return "", err
	}
	// Of the window's last moment, the least place: the rows of one moment are in it by seq.
	err = tx.QueryRowContext(ctx, "SELECT min(seq) FROM ("+inner+") WHERE at = ?", append(args, p.At)...).Scan(&p.Seq)
	return write(p), err
}

// byColumn walks the index of the narrowest filter, and filters by the others on the way:
// from the columns behind in that index, or of an owner's rows from the rows themselves.
func byColumn(q ledger.LineQuery, start place) walk {
	w := walk{order: "at DESC, seq DESC", most: window}
	table, walked := "w.", ""
	if q.Owner != "" {
		w.from, w.args = "SELECT seq, at FROM history_owners WHERE email = ?", []any{q.Owner}
		table, walked, w.most = "h.", "email", textWindow
	}
	for _, f := range []struct{ column, value, rest string }{
		{"namespace", q.Namespace, "rule, kind"}, {"rule", q.Rule, "namespace, kind"}, {"kind", q.Kind, "namespace, rule"},
	} {
		switch {
		case f.value == "":
		case walked == "":
			walked = f.column
			w.from, w.args = "SELECT seq, at, "+f.rest+" FROM history WHERE "+f.column+" = ?", []any{f.value}
		default:
			w.rest, w.values = append(w.rest, table+f.column+" = ?"), append(w.values, f.value)
		}
	}
	if walked == "" {
		w.from = "SELECT seq, at FROM history WHERE true"
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
