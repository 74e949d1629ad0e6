package report

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/login"
	"github.com/k8guard/k8guard/internal/rule"
)

// frame is what every page shows around its content.
type frame struct {
	Title   string
	Now     time.Time
	Version string
	Status  Status
	Broken  bool   // the status could not be read
	Reader  string // who is logged in, if there is a login
	Part    bool   // the reader does not see every namespace
	Switch  bool   // the reader may freeze
	Flags   string // of command lines, for who may know of the host
}

type overviewData struct {
	Overview ledger.Overview
	Due      []ledger.CaseRow
	Acts     []ledger.ActRow
	Lines    []ledger.Line
}

type caseData struct {
	CaseView
	Row    ledger.CaseRow
	Meta   rule.Meta
	Needed int
	Act    *docket.Enforcement
	CanAck bool
	Change bool // the reader may undo and acknowledge
}

func (s *server) frame(ctx context.Context, title string) frame {
	status, err := s.status(ctx)
	f := frame{Title: title, Now: s.Now(), Version: s.Version, Status: status, Broken: err != nil, Switch: true}
	if s.Flags != "" {
		f.Flags = " " + s.Flags
	}
	if who := login.ReaderOf(ctx); who != nil {
		all, _ := s.may(ctx, login.See, "")
		f.Reader, f.Part = who.Name, !all
		if f.Part {
			f.Flags = "" // a path of the host tells who sees a part nothing that they need
		}
		f.Switch, _ = s.may(ctx, login.Switch, "")
	}
	return f
}

func (s *server) overviewPage(w http.ResponseWriter, r *http.Request) {
	d, err := s.overviewData(r.Context())
	if err != nil {
		s.failWith(w, r, err)
		return
	}
	f := s.frame(r.Context(), "Overview")
	s.render(w, r, http.StatusOK, layout(f, overview(f, d)))
}

func (s *server) overviewData(ctx context.Context) (d overviewData, err error) {
	v := s.seen()
	if d.Overview, err = v.Overview(ctx); err != nil {
		return d, err
	}
	history, err := v.Lines(ctx, ledger.LineQuery{Limit: 12})
	if err != nil {
		return d, err
	}
	due, err := v.Due(ctx, ledger.DueQuery{Until: s.Now().AddDate(1, 0, 0), Limit: 8})
	if err != nil {
		return d, err
	}
	acts, err := v.Acts(ctx, ledger.ActQuery{What: ledger.InForce, Limit: 6})
	d.Lines, d.Due, d.Acts = history.Lines, due.Rows, acts.Rows
	return d, err
}

func (s *server) casesPage(w http.ResponseWriter, r *http.Request) {
	q, page, err := s.found(r)
	if err != nil {
		s.failWith(w, r, err)
		return
	}
	notes, err := s.notes(r.Context(), q, page)
	if err != nil {
		s.failWith(w, r, err)
		return
	}
	f := s.frame(r.Context(), "Cases")
	s.render(w, r, http.StatusOK, layout(f, casesView(f, page, notes, r.URL.Query(), s)))
}

func (s *server) casePage(w http.ResponseWriter, r *http.Request) {
	view, err := s.load(r.Context(), r.PathValue("id"))
	if err != nil {
		s.failWith(w, r, err)
		return
	}
	d := caseData{CaseView: view, Meta: s.rules[view.Case.Rule], Row: row(view)}
	if d.Change, err = s.may(r.Context(), login.ChangeOf(view.Docket.Root.Kind), ledger.Home(view.Docket.Root)); err != nil {
		s.failWith(w, r, err)
		return
	}
	d.Needed, d.CanAck = s.needed(d.Row), s.Ack != nil && d.Change
	if e := view.Docket.Enforcement; e != nil && slices.Contains(e.Cases, view.Case.ID) {
		d.Act = e
	}
	f := s.frame(r.Context(), view.Case.Rule)
	s.render(w, r, http.StatusOK, layout(f, caseView(f, d)))
}

func row(v CaseView) ledger.CaseRow {
	owner := v.Docket.OwnerOf(v.Case.Rule)
	confirmed, _ := v.Case.Count(owner.Key())
	return ledger.CaseRow{ID: v.Case.ID, Docket: v.Docket.Key, Cluster: v.Docket.Cluster, Root: v.Docket.Root,
		Owner: owner, Status: v.Status, Confirmed: confirmed, Case: v.Case}
}

func (s *server) needed(r ledger.CaseRow) int {
	if s.Needed == nil {
		return 0
	}
	return s.Needed(r)
}

func (s *server) failWith(w http.ResponseWriter, r *http.Request, err error) {
	code, text := s.explain(r, err)
	s.fail(w, r, code, text)
}

func (s *server) fail(w http.ResponseWriter, r *http.Request, code int, text string) {
	f := s.frame(r.Context(), http.StatusText(code))
	s.render(w, r, code, layout(f, message(f, text)))
}

func (s *server) render(w http.ResponseWriter, r *http.Request, code int, page templ.Component) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(code)
	if err := page.Render(r.Context(), w); err != nil {
		s.Log.WarnContext(r.Context(), "report: page cut off", "path", r.URL.Path, "error", err)
	}
}

type tally struct {
	Name string
	N    int
}

// tallies orders counts, greatest first, then by name.
func tallies(m map[string]int) []tally {
	list := make([]tally, 0, len(m))
	for name, n := range m {
		list = append(list, tally{name, n})
	}
	slices.SortFunc(list, func(a, b tally) int { return cmp.Or(b.N-a.N, strings.Compare(a.Name, b.Name)) })
	return list
}
