package report

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
)

// maxLines is how much of a docket's history a case shows: its newest lines.
const maxLines = 1000

// CaseView is one case with all that explains it.
type CaseView struct {
	Case    docket.Case   `json:"case"`
	Status  string        `json:"status"`
	Docket  docket.Docket `json:"docket"`
	History []ledger.Line `json:"history"` // the newest 1,000 lines, oldest first
}

// Ask is the body of every POST of the API. Scope is for freezes only, For for
// acknowledgements.
type Ask struct {
	Scope  string `json:"scope,omitempty"`
	By     string `json:"by,omitempty"` // wanted where there is no login; with one it is the reader's
	Reason string `json:"reason"`
	For    string `json:"for,omitempty"` // a duration such as 48h
}

// Answer says what a POST did.
type Answer struct {
	Result string `json:"result"`
	// Until is how long the ladder pauses, of an acknowledgement that pauses it.
	Until time.Time `json:"until,omitzero"`
}

func (s *server) api(mux *http.ServeMux) {
	for _, e := range s.endpoints() {
		handler := s.apiPost(e.write)
		if e.read != nil {
			handler = s.apiGet(e.read)
		}
		mux.HandleFunc(e.method()+" /api/v1/"+e.path, handler)
	}
	mux.HandleFunc("GET /api/", func(w http.ResponseWriter, _ *http.Request) {
		problem(w, http.StatusNotFound, "no such address; /api/v1/openapi.json lists all")
	})
}

func (s *server) apiGet(read func(*http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		value, err := read(r)
		s.answer(w, r, value, err)
	}
}

func (s *server) cases(r *http.Request) (ledger.CasePage, error) {
	q, page, err := s.found(r)
	if err != nil {
		return page, err
	}
	return page, s.refuseSlips(q, page)
}

// found are the cases that a request asks for, and how it was read.
func (s *server) found(r *http.Request) (q ledger.CaseQuery, page ledger.CasePage, err error) {
	if q, err = parseQuery(r.URL.Query()); err != nil {
		return q, page, err
	}
	page, err = s.seen().Cases(r.Context(), q)
	return q, page, ofCursor(err)
}

// ofCursor turns a bad cursor into an answer to who sent it.
func ofCursor(err error) error {
	if errors.Is(err, ledger.ErrCursor) {
		return refusal{http.StatusBadRequest, "cursor: not one of ours; start again without it"}
	}
	return err
}

func (s *server) load(ctx context.Context, id string) (CaseView, error) {
	d, lines, err := s.seen().Case(ctx, id)
	if err != nil {
		return CaseView{}, err
	}
	c := d.Find(id)
	if c == nil {
		return CaseView{}, ledger.ErrNotFound
	}
	return CaseView{Case: *c, Status: ledger.Status(d, *c), Docket: d, History: lines}, nil
}

func (s *server) apiPost(do func(*http.Request, Ask) (Answer, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var ask Ask
		// A form of another page cannot send this type without asking first.
		if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
			problem(w, http.StatusUnsupportedMediaType, "Content-Type: write application/json")
			return
		}
		body := json.NewDecoder(r.Body)
		body.DisallowUnknownFields()
		if err := body.Decode(&ask); err != nil {
			problem(w, http.StatusBadRequest, `body: write {"scope": "...", "by": "...", "reason": "..."}: `+err.Error())
			return
		}
		done, err := do(r, ask)
		s.answer(w, r, done, err)
	}
}

func (s *server) answer(w http.ResponseWriter, r *http.Request, value any, err error) {
	if err != nil {
		code, text := s.explain(r, err)
		problem(w, code, text)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(whole(value)); err != nil {
		s.Log.WarnContext(r.Context(), "report: answer cut off", "path", r.URL.Path, "error", err)
	}
}

// refusal is an error that the asker can mend.
type refusal struct {
	code int
	text string
}

func (e refusal) Error() string { return e.text }

func (s *server) explain(r *http.Request, err error) (int, string) {
	var no refusal
	switch {
	case errors.As(err, &no):
		return no.code, no.text
	case errors.Is(err, ledger.ErrNotFound):
		return http.StatusNotFound, fmt.Sprintf("no case is called %q: write its whole id (to k8guard, at least the first 6 characters of it); /cases and k8guard cases --all list them", r.PathValue("id"))
	}
	s.Log.ErrorContext(r.Context(), "report: request ended badly", "path", r.URL.Path, "error", err)
	return http.StatusServiceUnavailable, "the ledger or the action service does not answer; the log says why; try again"
}

// problem answers as RFC 9457 has it.
func problem(w http.ResponseWriter, code int, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(Problem{Title: http.StatusText(code), Status: code, Detail: detail})
}
