package report

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/login"
)

func (s *server) undo(ctx context.Context, id string, a Ask) (string, error) {
	if err := a.check(ctx); err != nil {
		return "", err
	}
	if err := s.changes(ctx, id); err != nil {
		return "", err
	}
	all, err := s.mayNow(ctx, login.Change, "")
	if err != nil {
		return "", err
	}
	defer s.standing.changed()
	text, err := s.Control.Undo(ctx, id, a.By, a.Reason, !all)
	if err != nil {
		return "", refusal{http.StatusConflict, err.Error()}
	}
	return text, nil
}

// check wants a name and a reason: both are kept, in the case's history or with the switch.
func (a *Ask) check(ctx context.Context) error {
	if err := sign(ctx, a); err != nil {
		return err
	}
	switch {
	case strings.TrimSpace(a.By) == "":
		return refusal{http.StatusBadRequest, "by: write your name or address"}
	case strings.TrimSpace(a.Reason) == "":
		return refusal{http.StatusBadRequest, "reason: write why, in a sentence"}
	case len(a.By) > 400 && login.ReaderOf(ctx) == nil || len(a.Reason) > 2000: // the API server bounds the names that it gives
		return refusal{http.StatusBadRequest, "by, reason: at most 400 and 2000 bytes"}
	}
	return nil
}

func (s *server) freeze(do func(ctx context.Context, scope, by, reason string) error, done string) func(*http.Request, Ask) (string, error) {
	return func(r *http.Request, a Ask) (string, error) {
		if err := a.check(r.Context()); err != nil {
			return "", err
		}
		if err := s.want(r.Context(), login.Switch, ""); err != nil {
			return "", err
		}
		if !scoped(a.Scope) {
			return "", refusal{http.StatusBadRequest, "scope: write global, cluster/NAME or rule/ID" + s.guess(a.Scope)}
		}
		began := s.Now()
		err := do(r.Context(), a.Scope, a.By, a.Reason)
		s.standing.changed()
		if err != nil {
			return "", refusal{http.StatusConflict, err.Error()}
		}
		text := a.Scope + " " + done
		if done == frozenWord {
			text += s.already(r.Context(), a.Scope, began)
		}
		return text, nil
	}
}

const frozenWord = "frozen"

// guess is what was meant by a scope that is none, as far as it can be known.
func (s *server) guess(scope string) string {
	names := []string{"global"}
	for _, id := range s.ruleIDs("") {
		if strings.EqualFold(id, scope) {
			return "; did you mean rule/" + id + "?"
		}
		names = append(names, "rule/"+id)
	}
	if hint := config.Suggest(short(scope), names); strings.HasPrefix(hint, "did you mean") {
		return "; " + hint
	}
	return ""
}

// wordsLimit is how long the words about a freeze may take. The freeze itself has waited for nothing.
const wordsLimit = 2 * time.Second

// already says that a scope was frozen before it was asked for now: the first reason stays.
func (s *server) already(ctx context.Context, scope string, began time.Time) string {
	ctx, cancel := context.WithTimeout(ctx, wordsLimit)
	defer cancel()
	st, err := s.status(ctx)
	i := slices.IndexFunc(st.Freezes, func(f Freeze) bool { return f.Scope == scope })
	if err != nil || i < 0 || !st.Freezes[i].At.Before(began) {
		return ""
	}
	was := st.Freezes[i]
	text := " already, since " + was.At.UTC().Format(time.RFC3339)
	if was.By != "" {
		text += " by " + was.By + ": " + was.Reason
	}
	return text + "; that stays, and your reason is in the log of switches"
}

func scoped(scope string) bool {
	kind, name, ok := strings.Cut(scope, "/")
	return scope == "global" || (ok && name != "" && (kind == "cluster" || kind == "rule"))
}

func ask(r *http.Request) Ask {
	return Ask{Scope: r.PostFormValue("scope"), By: r.PostFormValue("by"), Reason: r.PostFormValue("reason"), For: r.PostFormValue("for")}
}

func (s *server) undoForm(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	_, err := s.undo(r.Context(), id, ask(r))
	s.back(w, r, "/cases/"+url.PathEscape(id), err)
}

func (s *server) freezeForm(w http.ResponseWriter, r *http.Request) {
	_, err := s.freeze(s.Control.Freeze, frozenWord)(r, ask(r))
	s.back(w, r, "/", err)
}

func (s *server) unfreezeForm(w http.ResponseWriter, r *http.Request) {
	_, err := s.freeze(s.Control.Unfreeze, "unfrozen")(r, ask(r))
	s.back(w, r, "/", err)
}

func (s *server) back(w http.ResponseWriter, r *http.Request, to string, err error) {
	if err != nil {
		s.failWith(w, r, err)
		return
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}
