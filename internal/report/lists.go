package report

import (
	"net/http"
	"time"

	"github.com/k8guard/k8guard/internal/ledger"
)

// BudgetView is what limits acts now: what is spent and left, and every switch.
type BudgetView struct {
	Mode        string   `json:"mode"`
	Enforcement string   `json:"enforcement"` // why it is on or off, in words
	Permit      string   `json:"permit"`
	Breaker     Breaker  `json:"breaker"`
	Freezes     []Freeze `json:"freezes"`
	Budget      Budget   `json:"budget"`
}

func (s *server) lines(r *http.Request) (ledger.LinePage, error) {
	q, err := parseLines(r.URL.Query())
	if err != nil {
		return ledger.LinePage{}, err
	}
	page, err := s.seen().Lines(r.Context(), q)
	return page, ofCursor(err)
}

// due answers what happens in the next hours, 24 if nothing else is asked for.
func (s *server) due(r *http.Request) (ledger.DuePage, error) {
	p := paramsOf(r.URL.Query(), "hours", "limit", "cursor")
	hours := p.number("hours", 24, 24*366)
	q := ledger.DueQuery{Until: s.Now().Add(time.Duration(hours) * time.Hour), Limit: p.number("limit", 100, 500), Cursor: p.text("cursor")}
	if p.err != nil {
		return ledger.DuePage{}, p.err
	}
	page, err := s.seen().Due(r.Context(), q)
	return page, ofCursor(err)
}

func (s *server) owners(r *http.Request) (ledger.OwnerPage, error) {
	p := paramsOf(r.URL.Query(), "limit", "cursor")
	q := ledger.OwnerQuery{Limit: p.number("limit", 50, 200), Cursor: p.text("cursor")}
	if p.err != nil {
		return ledger.OwnerPage{}, p.err
	}
	page, err := s.seen().Owners(r.Context(), q)
	return page, ofCursor(err)
}

func actNames() []string { return []string{ledger.InForce, ledger.Undone, ledger.Refused} }

func (s *server) acts(r *http.Request) (ledger.ActPage, error) {
	p := paramsOf(r.URL.Query(), "what", "limit", "cursor")
	q := ledger.ActQuery{What: p.oneOf("what", actNames()), Limit: p.number("limit", 50, 200), Cursor: p.text("cursor")}
	if p.err != nil {
		return ledger.ActPage{}, p.err
	}
	if q.What == "" {
		q.What = ledger.InForce
	}
	page, err := s.seen().Acts(r.Context(), q)
	return page, ofCursor(err)
}

func (s *server) budget(r *http.Request) (BudgetView, error) {
	st, err := s.status(r.Context())
	return BudgetView{Mode: st.Mode, Enforcement: st.Enforcement, Permit: st.Permit, Breaker: st.Breaker, Freezes: st.Freezes, Budget: st.Budget}, err
}

func (s *server) historyPage(w http.ResponseWriter, r *http.Request) {
	page, err := s.lines(r)
	if err != nil {
		s.failWith(w, r, err)
		return
	}
	f := s.frame(r.Context(), "History")
	s.render(w, r, http.StatusOK, layout(f, historyView(f, page, r.URL.Query(), s)))
}

func (s *server) nextPage(w http.ResponseWriter, r *http.Request) {
	page, err := s.due(r)
	if err != nil {
		s.failWith(w, r, err)
		return
	}
	f := s.frame(r.Context(), "Next")
	s.render(w, r, http.StatusOK, layout(f, nextView(f, page, r.URL.Query())))
}

func (s *server) ownersPage(w http.ResponseWriter, r *http.Request) {
	page, err := s.owners(r)
	if err != nil {
		s.failWith(w, r, err)
		return
	}
	f := s.frame(r.Context(), "Owners")
	s.render(w, r, http.StatusOK, layout(f, ownersView(f, page, r.URL.Query())))
}

func (s *server) enforcementPage(w http.ResponseWriter, r *http.Request) {
	page, err := s.acts(r)
	if err != nil {
		s.failWith(w, r, err)
		return
	}
	f := s.frame(r.Context(), "Enforcement")
	s.render(w, r, http.StatusOK, layout(f, actsView(f, page, r.URL.Query())))
}

func (s *server) budgetPage(w http.ResponseWriter, r *http.Request) {
	view, err := s.budget(r)
	if err != nil {
		s.failWith(w, r, err)
		return
	}
	f := s.frame(r.Context(), "Budget")
	s.render(w, r, http.StatusOK, layout(f, budgetView(f, view)))
}
