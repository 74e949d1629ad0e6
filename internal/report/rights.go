package report

import (
	"context"
	"net/http"

	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/login"
)

// want refuses who lacks the right.
func (s *server) want(ctx context.Context, right login.Right, namespace string) error {
	ok, err := s.mayNow(ctx, right, namespace)
	if err != nil || ok {
		return err
	}
	text := "this wants the right to " + string(right)
	if namespace != "" {
		text += " in " + namespace
	}
	return refusal{http.StatusForbidden, text}
}

// sign puts the reader's own name under what they ask for; nobody chooses another.
func sign(ctx context.Context, a *Ask) error {
	who := login.ReaderOf(ctx)
	if who == nil {
		return nil
	}
	if a.By != "" && a.By != who.Name {
		return refusal{http.StatusBadRequest, "by: leave it out; the name that belongs to your token is recorded"}
	}
	a.By = who.Name
	return nil
}

// changes loads nothing that the reader may not see, and wants the right to change it.
func (s *server) changes(ctx context.Context, id string) error {
	view, err := s.load(ctx, id)
	if err != nil {
		return err
	}
	if s.Guard != nil && s.Cluster != "" && view.Docket.Key.Cluster != s.Cluster {
		return refusal{http.StatusForbidden, "the right to change things there is asked in another cluster: use its K8Guard, or the socket"}
	}
	return s.want(ctx, login.ChangeOf(view.Docket.Root.Kind), ledger.Home(view.Docket.Root))
}
