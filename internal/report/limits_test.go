package report_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/ledger"
)

// slow is a ledger that says when it is asked for cases, and answers when it may. It notes
// until when the asker waits.
type slow struct {
	shelf
	asked  chan time.Time
	answer chan struct{}
}

func (s slow) Cases(ctx context.Context, q ledger.CaseQuery) (ledger.CasePage, error) {
	until, _ := ctx.Deadline()
	s.asked <- until
	<-s.answer
	return s.shelf.Cases(ctx, q)
}

// refused asks what must not come to the ledger.
func (s slow) refused(t *testing.T, h http.Handler, path, token string) *httptest.ResponseRecorder {
	t.Helper()
	answer := make(chan *httptest.ResponseRecorder, 1)
	go func() { answer <- send(h, "GET", path, "", "Authorization", "Bearer "+token) }()
	select {
	case w := <-answer:
		return w
	case <-s.asked:
		t.Fatalf("the ledger is asked for %s by %s once more", path, token)
		return nil
	}
}

// TestOneReaderHasFewQuestionsOpen opens as many as may be, and one more of each kind.
func TestOneReaderHasFewQuestionsOpen(t *testing.T) {
	for _, tc := range []struct {
		path string
		most int
	}{{"/cases.csv", 2}, {"/api/v1/cases", 8}} {
		l := slow{shelf: sample(3), asked: make(chan time.Time), answer: make(chan struct{})}
		h, codes := guarded(t, l, &desk{}, people{}), make(chan int, 20)
		open := func(token, path string) {
			go func() { codes <- send(h, "GET", path, "", "Authorization", "Bearer "+token).Code }()
		}
		for range tc.most {
			open("tenant", tc.path)
			if until := <-l.asked; until.IsZero() || time.Until(until) > 5*time.Minute {
				t.Errorf("%s may take until %v", tc.path, until)
			}
		}
		w := l.refused(t, h, tc.path, "tenant")
		if w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") == "" {
			t.Errorf("%s: one more is answered %d", tc.path, w.Code)
		}
		if w := send(h, "POST", "/api/v1/freeze", "{}", "Authorization", "Bearer tenant"); w.Code == http.StatusTooManyRequests {
			t.Error("a change is held up by questions")
		}
		open("auditor", tc.path) // another reader's
		<-l.asked
		close(l.answer)
		for range tc.most + 1 {
			if code := <-codes; code != http.StatusOK {
				t.Errorf("%s: %d", tc.path, code)
			}
		}
		open("tenant", tc.path)
		<-l.asked
		if code := <-codes; code != http.StatusOK {
			t.Errorf("%s, when the others are answered: %d", tc.path, code)
		}
	}
}

// TestAllExportsTogetherAreBounded lets each of many readers export.
func TestAllExportsTogetherAreBounded(t *testing.T) {
	l := slow{shelf: sample(3), asked: make(chan time.Time), answer: make(chan struct{})}
	h, codes := guarded(t, l, &desk{}, people{}), make(chan int, 20)
	for _, token := range []string{"tenant", "auditor", "writer", "operator"} {
		for range 2 {
			go func() { codes <- send(h, "GET", "/cases.csv", "", "Authorization", "Bearer "+token).Code }()
			<-l.asked
		}
	}
	if w := l.refused(t, h, "/cases.csv", "fifth"); w.Code != http.StatusTooManyRequests {
		t.Errorf("a ninth export: %d", w.Code)
	}
	close(l.answer)
	for range 8 {
		<-codes
	}
}
