package report

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
)

const (
	// maxExport bounds the rows of one export; its last row says when there are more.
	maxExport = 100_000
	// exportPage is how many rows are in memory at a time.
	exportPage = 500
	// exportTime is how long one page may take to be read and sent.
	exportTime = 30 * time.Second
)

// cell makes a text harmless as a cell: a spreadsheet takes what begins with one of these
// signs for a formula, and a quote before it makes it text again. Of what a reader cannot
// see, line ends too, nothing is left as it was.
func cell(text string) string {
	const formula = "=+-@\t\r\n＝＋－＠"
	seen := strings.TrimLeftFunc(text, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) })
	for _, t := range []string{text, seen} {
		if first, size := utf8.DecodeRuneInString(t); size > 0 && strings.ContainsRune(formula, first) {
			return clean("'" + text)
		}
	}
	return clean(text)
}

// export writes pages until the last one, or until nobody listens. Broken off, it ends as
// no whole answer does: half a file must not look like all of it.
func (s *server) export(w http.ResponseWriter, r *http.Request, name string, head []string, next func() (rows [][]string, more bool, err error)) {
	rows, more, err := next()
	if err != nil {
		s.failWith(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8; header=present")
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	out, line := csv.NewWriter(w), http.NewResponseController(w)
	_ = out.Write(head)
	for sent := 0; ; {
		for _, row := range rows {
			for i := range row {
				row[i] = cell(row[i])
			}
			_ = out.Write(row)
		}
		out.Flush()
		if sent += len(rows); !more && out.Error() == nil {
			return
		}
		if sent >= maxExport {
			_ = out.Write([]string{fmt.Sprintf("cut off after %d rows: filter, and ask again", sent)})
			out.Flush()
			return
		}
		_ = line.SetWriteDeadline(time.Now().Add(exportTime)) //nolint:forbidigo // a deadline of the socket, not of ours
		if rows, more, err = next(); err != nil || out.Error() != nil {
			s.Log.WarnContext(r.Context(), "report: export broken off", "path", r.URL.Path, "error", err)
			panic(http.ErrAbortHandler)
		}
	}
}

func (s *server) casesCSV(w http.ResponseWriter, r *http.Request) {
	q, err := parseQuery(r.URL.Query())
	if err != nil {
		s.failWith(w, r, err)
		return
	}
	q.Limit = exportPage
	s.export(w, r, "cases.csv", []string{"id", "cluster", "kind", "namespace", "name", "rule", "source", "severity", "status", "owners", "warnings",
		"first seen", "opened", "resolved", "next step", "next date", "message", "evidence", "path", "acknowledged by", "paused until"}, func() ([][]string, bool, error) {
		page, err := s.seen().Cases(r.Context(), q)
		q.Cursor = page.Next
		rows := make([][]string, 0, len(page.Rows))
		for _, c := range page.Rows {
			rows = append(rows, caseCells(c))
		}
		return rows, page.Next != "", ofCursor(err)
	})
}

func caseCells(r ledger.CaseRow) []string {
	step, at := ledger.Next(r.Case)
	var seen docket.Ack
	if r.Case.Ack != nil {
		seen = *r.Case.Ack
	}
	return []string{r.ID, r.Cluster, r.Root.Kind, r.Root.Namespace, r.Root.Name, r.Case.Rule, r.Case.Source, r.Case.Severity, r.Status,
		strings.Join(r.Owner.Emails, " "), fmt.Sprint(r.Confirmed), date(r.Case.FirstSeen), date(r.Case.OpenedAt), date(resolvedAt(r.Case)),
		step, date(at), r.Case.Message, r.Case.Evidence, r.Case.Path, seen.By, date(seen.Until)}
}

func (s *server) historyCSV(w http.ResponseWriter, r *http.Request) {
	q, err := parseLines(r.URL.Query())
	if err != nil {
		s.failWith(w, r, err)
		return
	}
	q.Limit = exportPage
	s.export(w, r, "history.csv", []string{"time", "entry", "cluster", "kind", "namespace", "name", "rule", "owners", "case", "text"}, func() ([][]string, bool, error) {
		page, err := s.seen().Lines(r.Context(), q)
		q.Cursor = page.Next
		rows := make([][]string, 0, len(page.Lines))
		for _, l := range page.Lines {
			rows = append(rows, []string{date(l.Entry.At), l.Entry.Kind, l.Cluster, l.Root.Kind, l.Root.Namespace, l.Root.Name, l.Rule,
				strings.Join(l.Owners, " "), l.Entry.Case, l.Entry.Text})
		}
		return rows, page.Next != "", ofCursor(err)
	})
}

func resolvedAt(c docket.Case) time.Time {
	if c.State != docket.Resolved {
		return time.Time{}
	}
	return c.ResolvedAt
}

func date(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
