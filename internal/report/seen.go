package report

import (
	"context"
	"net/http"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/login"
)

// maxWalk is how many pages of the ledger are looked through for one page of a reader who
// does not see every namespace. One that found too little is short, and goes on.
const maxWalk = 20

// seen is the ledger as one reader may see it, for one request. All that the report reads of
// the ledger goes through it.
type seen struct {
	s    *server
	memo map[string]bool
}

var _ ledger.Projections = (*seen)(nil)

func (s *server) seen() *seen { return &seen{s: s, memo: map[string]bool{}} }

// may asks for a right; that it could not be asked is an answer to the reader.
func (s *server) may(ctx context.Context, right login.Right, namespace string) (bool, error) {
	ok, err := s.Guard.May(ctx, right, namespace)
	if err != nil {
		s.Log.ErrorContext(ctx, "report: the API server could not be asked for a right", "error", err)
		return false, refusal{http.StatusServiceUnavailable, "the API server could not be asked what you may see: " + err.Error()}
	}
	return ok, nil
}

// all says that the reader sees everything, by one question.
func (v *seen) all(ctx context.Context) (bool, error) { return v.s.may(ctx, login.See, "") }

// home is the namespace whose readers may see the root: a Namespace is seen by its own.
func home(root v1.Root) string {
	if root.Kind == "Namespace" && root.Namespace == "" {
		return root.Name
	}
	return root.Namespace
}

// sees says whether the reader may see what concerns the root. A right holds in the cluster
// that was asked; what a ledger keeps of another one is for those who see everything.
func (v *seen) sees(ctx context.Context, key docket.Key, root v1.Root) (bool, error) {
	if v.s.Cluster != "" && key.Cluster != v.s.Cluster {
		return false, nil
	}
	namespace, right := home(root), login.See
	if namespace == "" {
		right = login.Roots
	}
	if ok, known := v.memo[namespace]; known {
		return ok, nil
	}
	ok, err := v.s.may(ctx, right, namespace)
	if err == nil {
		v.memo[namespace] = ok
	}
	return ok, err
}

// walk gathers a page of what see lets through. The place where it stopped may name what
// the reader may not see: it is sealed.
func walk[R any](v *seen, limit int, cursor string, fetch func(limit int, cursor string) ([]R, string, error), see func(R) (bool, error)) (rows []R, next string, err error) {
	if cursor != "" {
		if next, err = v.s.Guard.Book.Unseal(cursor); err != nil {
			return nil, "", ledger.ErrCursor
		}
	}
	for range maxWalk {
		var got []R
		if got, next, err = fetch(limit-len(rows), next); err != nil {
			return nil, "", err
		}
		for _, row := range got {
			ok, err := see(row)
			if err != nil {
				return nil, "", err
			}
			if ok {
				rows = append(rows, row)
			}
		}
		if next == "" || len(rows) >= limit {
			break
		}
	}
	if next != "" {
		next = v.s.Guard.Book.Seal(next)
	}
	return rows, next, nil
}

// Cases implements ledger.Projections. The total of what is seen in part is unknown: -1.
func (v *seen) Cases(ctx context.Context, q ledger.CaseQuery) (page ledger.CasePage, err error) {
	if ok, err := v.all(ctx); ok || err != nil {
		if err != nil {
			return page, err
		}
		return v.s.Ledger.Cases(ctx, q)
	}
	page.Rows, page.Next, err = walk(v, q.Limit, q.Cursor, func(limit int, cursor string) ([]ledger.CaseRow, string, error) {
		q.Limit, q.Cursor = limit, cursor
		got, err := v.s.Ledger.Cases(ctx, q)
		return got.Rows, got.Next, err
	}, v.row(ctx))
	page.Total = -1
	return page, err
}

func (v *seen) row(ctx context.Context) func(ledger.CaseRow) (bool, error) {
	return func(r ledger.CaseRow) (bool, error) { return v.sees(ctx, r.Docket, r.Root) }
}

// Case implements ledger.Projections: a hidden case is answered as one that is not there.
func (v *seen) Case(ctx context.Context, id string) (docket.Docket, error) {
	d, err := v.s.Ledger.Case(ctx, id)
	if err != nil {
		return docket.Docket{}, err
	}
	ok, err := v.all(ctx)
	if err == nil && !ok {
		ok, err = v.sees(ctx, d.Key, d.Root)
	}
	if err != nil {
		return docket.Docket{}, err
	}
	if !ok {
		return docket.Docket{}, ledger.ErrNotFound
	}
	return d, nil
}

// History implements ledger.Projections.
func (v *seen) History(ctx context.Context, key docket.Key, after int64, limit int) ([]ledger.Line, error) {
	lines, err := v.s.Ledger.History(ctx, key, after, limit)
	return v.only(ctx, lines, err)
}

// Latest implements ledger.Projections.
func (v *seen) Latest(ctx context.Context, key docket.Key, limit int) ([]ledger.Line, error) {
	lines, err := v.s.Ledger.Latest(ctx, key, limit)
	return v.only(ctx, lines, err)
}

func (v *seen) only(ctx context.Context, lines []ledger.Line, err error) (out []ledger.Line, _ error) {
	if err != nil {
		return nil, err
	}
	if ok, err := v.all(ctx); ok || err != nil {
		return lines, err
	}
	for _, l := range lines {
		ok, err := v.sees(ctx, l.Docket, l.Root)
		if err != nil {
			return nil, err
		}
		if ok {
			out = append(out, l)
		}
	}
	return out, nil
}
