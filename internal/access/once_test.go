package access_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/k8guard/k8guard/internal/access"
	"github.com/k8guard/k8guard/internal/login"
)

// gate is an API server that counts questions and answers when it may.
type gate struct {
	*access.Reviewer
	asked  atomic.Int64
	answer chan struct{}
}

func newGate(t *testing.T) *gate {
	t.Helper()
	g := &gate{answer: make(chan struct{})}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		g.asked.Add(1)
		<-g.answer
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, `{"kind":"SubjectAccessReview","apiVersion":"authorization.k8s.io/v1","status":{"allowed":true}}`)
	}))
	t.Cleanup(s.Close)
	g.Reviewer = access.New(access.Settings{Client: kubernetes.NewForConfigOrDie(&rest.Config{Host: s.URL, QPS: -1}), Now: time.Now})
	return g
}

// wait polls until so many questions are open.
func (g *gate) wait(t *testing.T, n int64) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); g.asked.Load() < n; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d questions, want %d", g.asked.Load(), n)
		}
	}
}

func TestOneQuestionForAllWhoAskIt(t *testing.T) {
	g := newGate(t)
	var group sync.WaitGroup
	for range 100 {
		group.Go(func() {
			if ok, err := g.May(t.Context(), login.Reader{Name: "x"}, login.See, "shop"); !ok || err != nil {
				t.Error(ok, err)
			}
		})
	}
	g.wait(t, 1)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := g.May(gone, login.Reader{Name: "x"}, login.See, "shop"); err == nil {
		t.Error("who hung up got an answer")
	}
	close(g.answer)
	group.Wait()
	if n := g.asked.Load(); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

// TestFewQuestionsAtATime: one reader's many namespaces do not fill the API server, and do not
// hold up what is asked before a change.
func TestFewQuestionsAtATime(t *testing.T) {
	g := newGate(t)
	var group sync.WaitGroup
	for i := range 100 {
		group.Go(func() { _, _ = g.May(t.Context(), login.Reader{Name: "x"}, login.See, string(rune('a'+i))) })
	}
	g.wait(t, 20)
	freeze := make(chan error, 1)
	go func() {
		_, err := g.MayNow(t.Context(), login.Reader{Name: "operator"}, login.Switch, "")
		freeze <- err
	}()
	g.wait(t, 21)
	if n := g.asked.Load(); n != 21 {
		t.Errorf("%d questions at a time", n)
	}
	close(g.answer)
	group.Wait()
	if err := <-freeze; err != nil || g.asked.Load() != 101 {
		t.Errorf("%v, asked %d times", err, g.asked.Load())
	}
}
