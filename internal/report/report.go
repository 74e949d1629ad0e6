// Package report shows what K8Guard knows and has done: pages for people and JSON for
// programs, over one ledger.
//
// Purpose: anyone sees what is wrong, why, who was told, what comes next and when, what
// was done, and how to take it back.
//
// Concurrency: the handler serves any number of requests, of each reader a few at a time. It
// keeps the status for seconds, and counts as long as nothing has changed.
//
// Guarantees: every text is escaped, and control or bidirectional characters in it are
// shown, not obeyed. A request from another origin, or under a name that is not ours,
// changes nothing. With a login, a reader sees rows of their namespaces only, and no count,
// place or name of others. Stale knowledge is called stale.
//
// It will not: hold a Kubernetes client, write to the ledger, or act by any way but
// [Control]. Without a [login.Guard] that asks, everyone may do everything: listen on
// loopback only.
package report

import (
	"context"
	"embed"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/k8guard/k8guard/internal/cache"
	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/login"
	"github.com/k8guard/k8guard/internal/rule"
)

//go:embed style.css
var assets embed.FS

// Settings is what the report is built from. Ledger, Control and Now are required.
type Settings struct {
	Ledger  ledger.Projections
	Rules   []rule.Meta
	Control Control
	Now     func() time.Time
	Version string
	// Guard asks who a reader is, and what they may see and do. Nil: everyone may do everything.
	Guard *login.Guard
	// Cluster is the UID of the cluster that the guard asks; empty means that the ledger holds no other.
	Cluster string
	// Ack records that a person has seen a case, and says what follows and until when its ladder
	// pauses; hold is how long they ask it to. Nil: nobody can.
	Ack func(ctx context.Context, caseID, by, reason string, hold time.Duration) (text string, until time.Time, err error)
	// Answers keeps the dearest answers of a ledger that can tell its position, each as long as
	// nothing has changed; nil keeps none. It has to be of this process: others must not read or
	// write what readers with rights are shown.
	Answers *cache.Cache
	// Needed returns how many warnings the row's policy wants before an act, 0 when none
	// follows. Nil: the pages show only how many were confirmed.
	Needed func(ledger.CaseRow) int
	// Machines is served under the same guard for the paths that it knows, by pattern of
	// [http.ServeMux]: metrics, probes.
	Machines map[string]http.Handler
	// Log receives what went wrong behind an error page; nil discards it.
	Log *slog.Logger
}

type server struct {
	Settings
	rules    map[string]rule.Meta
	standing *standing
}

// New returns the report's handler, or an error when a required setting is missing.
func New(s Settings) (http.Handler, error) {
	if s.Ledger == nil || s.Control == nil || s.Now == nil {
		return nil, errors.New("report: Settings needs a Ledger, a Control and a clock (Now)")
	}
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	if s.Guard == nil {
		guard, err := login.New(login.Settings{})
		if err != nil {
			return nil, err
		}
		s.Guard = guard
	}
	if at, ok := s.Ledger.(positioned); ok && s.Answers != nil {
		s.Ledger = &kept{Projections: s.Ledger, at: at, answers: s.Answers}
	}
	srv := &server{Settings: s, rules: map[string]rule.Meta{}, standing: &standing{ask: s.Control.Status, now: s.Now}}
	for _, m := range s.Rules {
		srv.rules[m.ID] = m
	}
	return s.Guard.Wrap(limited(srv.routes())), nil
}

func (s *server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.overviewPage)
	mux.HandleFunc("GET /cases", s.casesPage)
	mux.HandleFunc("GET /cases/{id}", s.casePage)
	mux.HandleFunc("GET /cases.csv", s.casesCSV)
	mux.HandleFunc("GET /history", s.historyPage)
	mux.HandleFunc("GET /history.csv", s.historyCSV)
	mux.HandleFunc("GET /next", s.nextPage)
	mux.HandleFunc("GET /owners", s.ownersPage)
	mux.HandleFunc("GET /enforcement", s.enforcementPage)
	mux.HandleFunc("GET /budget", s.budgetPage)
	mux.HandleFunc("POST /cases/{id}/undo", s.undoForm)
	if s.Ack != nil {
		mux.HandleFunc("POST /cases/{id}/ack", s.ackForm)
	}
	mux.HandleFunc("POST /freeze", s.freezeForm)
	mux.HandleFunc("POST /unfreeze", s.unfreezeForm)
	mux.Handle("GET /style.css", http.FileServerFS(assets))
	s.api(mux)
	for pattern, h := range s.Machines {
		mux.Handle(pattern, s.Guard.All(h))
	}
	mux.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) {
		s.fail(w, r, http.StatusNotFound, "there is no page "+r.URL.Path)
	})
	return mux
}
