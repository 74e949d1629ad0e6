package report

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

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
	By     string `json:"by"`
	Reason string `json:"reason"`
	For    string `json:"for,omitempty"` // a duration such as 48h
}

// Answer says what a POST did.
type Answer struct {
	Result string `json:"result"`
}

func (s *server) api(mux *http.ServeMux) {
	get := func(path string, read func(*http.Request) (any, error)) {
		mux.HandleFunc("GET /api/v1/"+path, func(w http.ResponseWriter, r *http.Request) {
			value, err := read(r)
			s.answer(w, r, value, err)
		})
	}
	get("overview", func(r *http.Request) (any, error) { return s.Ledger.Overview(r.Context()) })
	get("status", func(r *http.Request) (any, error) { return s.Control.Status(r.Context()) })
	get("cases", func(r *http.Request) (any, error) { return s.cases(r) })
	get("cases/{id}", func(r *http.Request) (any, error) { return s.load(r.Context(), r.PathValue("id")) })
	get("history", s.history)
	mux.HandleFunc("POST /api/v1/cases/{id}/undo", s.apiPost(func(r *http.Request, a Ask) (string, error) {
		return s.undo(r.Context(), r.PathValue("id"), a)
	}))
	if s.Ack != nil {
		mux.HandleFunc("POST /api/v1/cases/{id}/ack", s.apiPost(func(r *http.Request, a Ask) (string, error) {
			return s.ack(r.Context(), r.PathValue("id"), a)
		}))
	}
	mux.HandleFunc("POST /api/v1/freeze", s.apiPost(s.freeze(s.Control.Freeze, "frozen")))
	mux.HandleFunc("POST /api/v1/unfreeze", s.apiPost(s.freeze(s.Control.Unfreeze, "unfrozen")))
	mux.HandleFunc("GET /api/", func(w http.ResponseWriter, _ *http.Request) {
		problem(w, http.StatusNotFound, "no such address; see /api/v1/overview, status, cases, cases/{id}, history")
	})
}

func (s *server) cases(r *http.Request) (ledger.CasePage, error) {
	q, err := parseQuery(r.URL.Query())
	if err != nil {
		return ledger.CasePage{}, refusal{http.StatusBadRequest, err.Error()}
	}
	page, err := s.Ledger.Cases(r.Context(), q)
	if err == nil || q.Cursor == "" {
		return page, err
	}
	// The ledger does not say whether the cursor or itself is at fault: ask without it.
	q.Cursor, q.Limit = "", 1
	if _, again := s.Ledger.Cases(r.Context(), q); again == nil {
		return page, refusal{http.StatusBadRequest, "cursor: not one of ours; start again without it"}
	}
	return page, err
}

func (s *server) load(ctx context.Context, id string) (CaseView, error) {
	d, err := s.Ledger.Case(ctx, id)
	if err != nil {
		return CaseView{}, err
	}
	c := d.Find(id)
	if c == nil {
		return CaseView{}, ledger.ErrNotFound
	}
	lines, err := s.Ledger.Latest(ctx, d.Key, maxLines)
	return CaseView{Case: *c, Status: ledger.Status(*c), Docket: d, History: lines}, err
}

func (s *server) history(r *http.Request) (any, error) {
	limit := 100
	if text := r.URL.Query().Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 1000 {
			return nil, refusal{http.StatusBadRequest, "limit: write a number from 1 to 1000"}
		}
		limit = n
	}
	return s.Ledger.Recent(r.Context(), limit)
}

func (s *server) apiPost(do func(*http.Request, Ask) (string, error)) http.HandlerFunc {
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
		text, err := do(r, ask)
		s.answer(w, r, Answer{Result: text}, err)
	}
}

func (s *server) answer(w http.ResponseWriter, r *http.Request, value any, err error) {
	if err != nil {
		code, text := s.explain(r, err)
		problem(w, code, text)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(value); err != nil {
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
		return http.StatusNotFound, "id: no such case; /cases lists them"
	}
	s.Log.ErrorContext(r.Context(), "report: request ended badly", "path", r.URL.Path, "error", err)
	return http.StatusServiceUnavailable, "the ledger or the action service does not answer; the log says why; try again"
}

// problem answers as RFC 9457 has it.
func problem(w http.ResponseWriter, code int, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(map[string]any{"title": http.StatusText(code), "status": code, "detail": detail})
}
