package report

import (
	"context"
	"net/http"

	"golang.org/x/sync/errgroup"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/login"
)

const (
	// maxSpaces bounds the namespaces that one answer asks about, atOnce how many at a time.
	maxSpaces = 5000
	atOnce    = 10
)

// seen is the ledger as one reader may see it, for one request. All that the report reads of
// the ledger goes through it. The reader's part goes into the question: the ledger answers
// as if it held nothing else.
type seen struct {
	s     *server
	whole *ledger.Part // what the reader may see, once it is known
}

func (s *server) seen() *seen { return &seen{s: s} }

// may asks for a right; that it could not be asked is an answer to the reader.
func (s *server) may(ctx context.Context, right login.Right, namespace string) (bool, error) {
	ok, err := s.Guard.May(ctx, right, namespace)
	return ok, s.unasked(ctx, err)
}

// mayNow is may before a change.
func (s *server) mayNow(ctx context.Context, right login.Right, namespace string) (bool, error) {
	ok, err := s.Guard.MayNow(ctx, right, namespace)
	return ok, s.unasked(ctx, err)
}

func (s *server) unasked(ctx context.Context, err error) error {
	if err != nil {
		s.Log.ErrorContext(ctx, "report: the API server could not be asked for a right", "error", err)
		return refusal{http.StatusServiceUnavailable, "the API server could not be asked what you may see: " + login.Why(err)}
	}
	return nil
}

// sees asks for the right to see a home. Its rows are of the cluster that was asked.
func (s *server) sees(ctx context.Context, home string) (bool, error) {
	if home == "" {
		return s.may(ctx, login.Roots, "")
	}
	return s.may(ctx, login.See, home)
}

// part is what the reader may see. Where only one namespace is asked for, only that is asked about.
func (v *seen) part(ctx context.Context, namespace string) (ledger.Part, error) {
	if v.whole != nil {
		return *v.whole, nil
	}
	all, err := v.s.may(ctx, login.See, "")
	if err != nil {
		return ledger.Part{}, err
	}
	if all {
		v.whole = &ledger.Part{}
		return *v.whole, nil
	}
	if namespace != "" {
		return v.ask(ctx, []string{namespace})
	}
	names, err := v.names(ctx)
	if err != nil {
		return ledger.Part{}, err
	}
	part, err := v.ask(ctx, names)
	if err == nil {
		v.whole = &part
	}
	return part, err
}

// names are the homes that the ledger knows of the cluster whose rights are asked for; what a
// ledger keeps of another one is for those who see everything.
func (v *seen) names(ctx context.Context) (names []string, err error) {
	spaces, err := v.s.Ledger.Spaces(ctx)
	if err != nil {
		return nil, err
	}
	for _, s := range spaces {
		if v.s.Cluster == "" || s.Cluster == v.s.Cluster {
			names = append(names, s.Namespace)
		}
	}
	if len(names) > maxSpaces {
		return nil, refusal{http.StatusForbidden, "there are too many namespaces to ask what you may see in each: name one, or get the right to list pods in all"}
	}
	return names, nil
}

// ask leaves the names that the reader may see.
func (v *seen) ask(ctx context.Context, names []string) (ledger.Part, error) {
	part, may := ledger.Part{Cluster: v.s.Cluster, Namespaces: []string{}}, make([]bool, len(names))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for i, name := range names {
		group.Go(func() (err error) {
			may[i], err = v.s.sees(ctx, name)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return part, err
	}
	for i, name := range names {
		if may[i] {
			part.Namespaces = append(part.Namespaces, name)
		}
	}
	return part, nil
}

// Cases lists.
func (v *seen) Cases(ctx context.Context, q ledger.CaseQuery) (page ledger.CasePage, err error) {
	if q.Part, err = v.part(ctx, q.Namespace); err != nil {
		return page, err
	}
	return v.s.Ledger.Cases(ctx, q)
}

// Lines lists.
func (v *seen) Lines(ctx context.Context, q ledger.LineQuery) (page ledger.LinePage, err error) {
	if q.Part, err = v.part(ctx, q.Namespace); err != nil {
		return page, err
	}
	return v.s.Ledger.Lines(ctx, q)
}

// Due lists.
func (v *seen) Due(ctx context.Context, q ledger.DueQuery) (page ledger.DuePage, err error) {
	if q.Part, err = v.part(ctx, ""); err != nil {
		return page, err
	}
	return v.s.Ledger.Due(ctx, q)
}

// Owners lists.
func (v *seen) Owners(ctx context.Context, q ledger.OwnerQuery) (page ledger.OwnerPage, err error) {
	if q.Part, err = v.part(ctx, ""); err != nil {
		return page, err
	}
	return v.s.Ledger.Owners(ctx, q)
}

// Acts lists.
func (v *seen) Acts(ctx context.Context, q ledger.ActQuery) (page ledger.ActPage, err error) {
	if q.Part, err = v.part(ctx, ""); err != nil {
		return page, err
	}
	return v.s.Ledger.Acts(ctx, q)
}

// Overview counts.
func (v *seen) Overview(ctx context.Context) (o ledger.Overview, err error) {
	part, err := v.part(ctx, "")
	if err != nil {
		return o, err
	}
	return v.s.Ledger.Overview(ctx, part)
}

// Case finds one with the newest lines of its docket; a hidden one is answered as one that is
// not there.
func (v *seen) Case(ctx context.Context, id string) (docket.Docket, []ledger.Line, error) {
	d, err := v.s.Ledger.Case(ctx, id)
	if err != nil {
		return docket.Docket{}, nil, err
	}
	all, err := v.s.may(ctx, login.See, "")
	if err != nil {
		return docket.Docket{}, nil, err
	}
	part := ledger.Part{}
	if !all {
		if part, err = v.ask(ctx, []string{ledger.Home(d.Root)}); err != nil {
			return docket.Docket{}, nil, err
		}
	}
	if !part.Holds(d.Key, d.Root) {
		return docket.Docket{}, nil, ledger.ErrNotFound
	}
	if e := d.Enforcement; e != nil && !all {
		short := *e
		short.Prior.Manifest = nil // a whole object, which who may list pods may not read
		d.Enforcement = &short
	}
	lines, err := v.s.Ledger.Latest(ctx, d.Key, maxLines)
	kept := make([]ledger.Line, 0, len(lines))
	for _, l := range lines {
		if part.Holds(l.Docket, l.Root) { // a docket's own, unless its root was another's once
			kept = append(kept, l)
		}
	}
	return d, kept, err
}
