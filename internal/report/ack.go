package report

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// maxHold bounds what may be asked for; how much of it is granted, a policy says.
const maxHold = 30 * 24 * time.Hour

func (s *server) ack(ctx context.Context, id string, a Ask) (Answer, error) {
	if err := a.check(ctx); err != nil {
		return Answer{}, err
	}
	hold, err := time.ParseDuration(strings.TrimSpace(a.For))
	if strings.TrimSpace(a.For) == "" {
		hold, err = 0, nil
	}
	if err != nil || hold < 0 || hold > maxHold {
		return Answer{}, refusal{http.StatusBadRequest, "for: write a duration such as 48h, up to 720h, or nothing"}
	}
	if err := s.changes(ctx, id); err != nil {
		return Answer{}, err
	}
	text, until, err := s.Ack(ctx, id, a.By, a.Reason, hold)
	if err != nil {
		return Answer{}, refusal{http.StatusConflict, err.Error()}
	}
	return Answer{Result: text, Until: until}, nil
}

func (s *server) ackForm(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	_, err := s.ack(r.Context(), id, ask(r))
	s.back(w, r, "/cases/"+url.PathEscape(id), err)
}
