package report_test

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
)

// FuzzCSV puts a tenant's text into every place that it can reach and reads the exports
// with another parser: as many rows and columns as there must be, and no cell that a
// spreadsheet would run.
func FuzzCSV(f *testing.F) {
	for _, text := range []string{"=HYPERLINK(\"http://x\")", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "a\",\"=1", "a\r\n=1,b", "＝1", " =1", "\x00=1", "\ufeff=1", ";=1", "'=1", "\u202e=1", "\xff=1"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s := sample(2)
		for i := range s.dockets {
			d := &s.dockets[i]
			d.Cluster, d.Root.Kind, d.Root.Name, d.Root.Namespace, d.Owner.Emails = text, text, text, text, []string{text, text}
			c := &d.Cases[0]
			c.Ack = &docket.Ack{By: text}
			c.Message, c.Source, c.Evidence, c.Path, c.Rule, c.Severity = text, text, text, text, text, text
		}
		h := build(t, s, &desk{})
		for path, rows := range map[string]int{"/cases.csv": 2, "/history.csv": 4} {
			w := send(h, "GET", path, "")
			if w.Code != 200 || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/csv") {
				t.Fatalf("%s: %d %v", path, w.Code, w.Header())
			}
			list, err := csv.NewReader(w.Body).ReadAll() // wants one number of columns everywhere
			if err != nil || len(list) != rows+1 {
				t.Fatalf("%s: %d rows, %v", path, len(list), err)
			}
			for _, row := range list[1:] {
				for _, cell := range row {
					harmless(t, path, cell)
				}
			}
		}
	})
}

func harmless(t *testing.T, path, cell string) {
	t.Helper()
	for _, start := range []string{"=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"} {
		if strings.HasPrefix(cell, start) || strings.HasPrefix(strings.TrimSpace(cell), start) {
			t.Errorf("%s: a cell %q", path, cell)
		}
	}
	if strings.ContainsAny(cell, "\x00\t\r\n\u202e\ufeff") {
		t.Errorf("%s: a cell with a control character %q", path, cell)
	}
}

func TestExportFollowsFiltersAndPages(t *testing.T) {
	h := build(t, sample(1200), &desk{})
	for path, rows := range map[string]int{"/cases.csv": 1200, "/cases.csv?rule=PRIVILEGED&limit=1": 300, "/cases.csv?namespace=none": 0} {
		list, err := csv.NewReader(send(h, "GET", path, "").Body).ReadAll()
		if err != nil || len(list) != rows+1 {
			t.Errorf("%s: %d rows, %v", path, len(list)-1, err)
		}
	}
	for _, path := range []string{"/cases.csv?limit=x", "/history.csv?since=x", "/cases.csv?cursor=bad"} {
		if w := send(h, "GET", path, ""); w.Code != http.StatusBadRequest {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

// endless has one more page, always; broken fails on its second.
type endless struct {
	shelf
	broken bool
}

func (e endless) Cases(_ context.Context, q ledger.CaseQuery) (ledger.CasePage, error) {
	if e.broken && q.Cursor != "" {
		return ledger.CasePage{}, fmt.Errorf("disk gone")
	}
	page := ledger.CasePage{Next: "more"}
	for range q.Limit {
		page.Rows = append(page.Rows, ledger.CaseRow{ID: "c", Case: docket.Case{ID: "c"}})
	}
	return page, nil
}

func TestExportIsBoundedAndNeverLooksWholeWhenItIsNot(t *testing.T) {
	text := send(buildOn(t, endless{shelf: sample(1)}, &desk{}), "GET", "/cases.csv", "").Body.String()
	if n := strings.Count(text, "\n"); n != 100_002 || !strings.Contains(text, "cut off after 100000 rows") {
		t.Errorf("%d lines", n)
	}
	defer func() {
		if err, _ := recover().(error); !errors.Is(err, http.ErrAbortHandler) {
			t.Error("a broken export ended as a whole one")
		}
	}()
	send(buildOn(t, endless{shelf: sample(1), broken: true}, &desk{}), "GET", "/cases.csv", "")
}
