package report_test

import (
	"encoding/csv"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/report"
)

// What was undone has one word on pages, in JSON, in CSV and in filters.
func TestWhatWasUndoneIsCalledSoEverywhere(t *testing.T) {
	s := sample(2) // c0001 is acted on
	s.dockets[1].Enforcement.State, s.dockets[1].Enforcement.Undo = docket.Undid, &docket.Undo{By: "ana", At: noon()}
	h := build(t, s, &desk{})
	var page ledger.CasePage
	var view report.CaseView
	for path, into := range map[string]any{"/api/v1/cases?status=undone": &page, "/api/v1/cases/c0001": &view} {
		if err := json.Unmarshal(send(h, "GET", path, "").Body.Bytes(), into); err != nil {
			t.Fatal(path, err)
		}
	}
	if len(page.Rows) != 1 || page.Rows[0].ID != "c0001" || page.Rows[0].Status != "undone" || view.Status != "undone" {
		t.Errorf("the API says %+v and %s", page, view.Status)
	}
	for _, path := range []string{"/cases?status=undone", "/cases/c0001"} {
		if text := send(h, "GET", path, "").Body.String(); !strings.Contains(text, `st-undone">undone<`) || strings.Contains(text, `st-acted`) {
			t.Errorf("%s does not say undone, or says acted", path)
		}
	}
	if text := send(h, "GET", "/cases?status=acted", "").Body.String(); strings.Contains(text, "c0001") {
		t.Error("what was undone is found as acted")
	}
	if got := column(t, send(h, "GET", "/cases.csv?status=undone", "").Body.String(), "status"); !slices.Equal(got, []string{"undone"}) {
		t.Errorf("cases.csv says %q", got)
	}
}

// The date on which the gate is asked again is no step: what comes next is for a person.
func TestWhatWaitsForAPersonHasNoDate(t *testing.T) {
	s := sample(1)
	at := noon().Add(3 * time.Hour)
	c := &s.dockets[0].Cases[0]
	c.Plan = docket.Plan{Step: "wait", Reason: "needs-human", Text: "gate rule 9, budget: set enforce.budget.floor to 2", Next: "scale-to-zero", At: at}
	c.Ack = &docket.Ack{By: "ana", Reason: "looking", At: noon(), Until: noon().Add(time.Hour)}
	h := build(t, s, &desk{})
	for _, path := range []string{"/cases", "/cases/c0000"} {
		text := send(h, "GET", path, "").Body.String()
		for _, want := range []string{"A person decides", "cknowledged by ana until " + noon().Add(time.Hour).Format(time.RFC3339)} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: no %q", path, want)
			}
		}
		if strings.Contains(strings.ToLower(text), "scale-to-zero") || strings.Contains(text, "in 3 h") {
			t.Errorf("%s announces an act", path)
		}
	}
	if text := send(h, "GET", "/cases/c0000", "").Body.String(); !strings.Contains(text, "Mend what violates") {
		t.Error("the case does not say what a person is to do")
	}
	text := send(h, "GET", "/cases.csv", "").Body.String()
	for name, want := range map[string]string{"next step": "a person decides", "next date": "", "acknowledged by": "ana", "paused until": noon().Add(time.Hour).Format(time.RFC3339)} {
		if got := column(t, text, name); !slices.Equal(got, []string{want}) {
			t.Errorf("cases.csv, %s: %q", name, got)
		}
	}
}

// An id's beginning finds its case; less than six characters of it are refused.
func TestCasesByTheBeginningOfAnID(t *testing.T) {
	s := sample(3)
	for i, id := range []string{"c-aaaaaa", "c-aaaaab", "c-bbbbbb"} {
		s.dockets[i].Cases[0].ID = id
	}
	h := build(t, s, &desk{})
	for id, want := range map[string]int{"c-aaaa": 2, "c-aaaaab": 1, "c-cccc": 0} {
		var page ledger.CasePage
		if err := json.Unmarshal(send(h, "GET", "/api/v1/cases?id="+id, "").Body.Bytes(), &page); err != nil || len(page.Rows) != want {
			t.Errorf("%s: %d rows, %v", id, len(page.Rows), err)
		}
	}
	if w := send(h, "GET", "/api/v1/cases?id=c-aaa", ""); w.Code != 400 || !strings.Contains(w.Body.String(), "at least the first 6 characters") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func column(t *testing.T, text, name string) (cells []string) {
	t.Helper()
	list, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	at := slices.Index(list[0], name)
	if at < 0 {
		t.Fatalf("no column %q in %q", name, list[0])
	}
	for _, row := range list[1:] {
		cells = append(cells, row[at])
	}
	return cells
}
