package report

import (
	"context"
	"net/http"
	"slices"

	"github.com/k8guard/k8guard/internal/login"
)

// hidden stands for a number that tells of what the reader may not see.
const hidden = -1

// status is what the reader may know of where K8Guard stands: of what others did, and how
// often, only who sees everything.
func (s *server) status(ctx context.Context) (Status, error) {
	st, err := s.Control.Status(ctx)
	if err != nil {
		return st, err
	}
	all, err := s.may(ctx, login.See, "")
	if err != nil || all {
		return st, err
	}
	for i := range st.Freezes {
		st.Freezes[i].By, st.Freezes[i].Reason = "", ""
	}
	st.Switches, st.Breaker.Reason, st.Enforcement, st.Permit = nil, "", "for who sees every namespace", ""
	b, v := &st.Budget, s.seen()
	if st.Refused != "" {
		st.Refused = "K8Guard's log says why"
	}
	b.UsedHour, b.UsedDay, b.Waiting, b.LastRound = hidden, hidden, hidden, ""
	b.Spent, err = v.spent(ctx, b.Spent)
	return st, err
}

// spent leaves what the reader's own namespaces have used.
func (v *seen) spent(ctx context.Context, list []Spent) (out []Spent, err error) {
	for _, p := range list {
		if p.By != "namespace" {
			continue
		}
		ok, err := v.s.may(ctx, login.See, p.Name)
		if err != nil {
			return nil, err
		}
		if ok {
			out = append(out, p)
		}
	}
	return slices.Clip(out), nil
}

// want refuses who lacks the right.
func (s *server) want(ctx context.Context, right login.Right, namespace string) error {
	ok, err := s.may(ctx, right, namespace)
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
	return s.want(ctx, login.Change, home(view.Docket.Root))
}
