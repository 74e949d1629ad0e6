package app

import (
	"fmt"
	"net/http"
	"path"
	"sync"
	"time"

	"github.com/k8guard/k8guard/internal/login"
)

// front passes requests to the instance that runs now. Closed, it answers by itself.
type front struct {
	mu      sync.Mutex
	serving *serving
	closing *serving // the last one, while it makes room: it still takes a freeze
	waiting string   // what for, while nothing serves
	login   bool     // the pages tell no stranger what for
}

// serving is one instance's handlers, and the requests that it has in hand.
type serving struct {
	pages, local http.Handler
	inHand       sync.WaitGroup
}

func newFront(login bool) *front { return &front{waiting: starting, login: login} }

const starting = "K8Guard is starting"

// wait says why nothing serves yet.
func (f *front) wait(text string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.waiting = text
}

// open lets requests through to the instance.
func (f *front) open(in *instance) error {
	pages, local, err := in.doors()
	if err != nil {
		return err
	}
	f.show(&serving{pages: pages, local: local})
	return nil
}

// show lets requests through to these handlers.
func (f *front) show(s *serving) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.serving, f.closing = s, nil
}

// close lets no new request through, and waits for those in hand.
func (f *front) close(limit time.Duration) {
	f.mu.Lock()
	was := f.serving
	f.serving, f.closing = nil, was
	f.mu.Unlock()
	if was == nil {
		return
	}
	quiet := make(chan struct{})
	go func() { was.inHand.Wait(); close(quiet) }()
	select {
	case <-quiet:
	case <-time.After(limit):
	}
}

// take returns who answers: nobody while one instance makes room for the next, but for a
// freeze, which needs the ledger alone and waits for nothing.
func (f *front) take(r *http.Request) (s *serving, done func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.serving != nil {
		f.serving.inHand.Add(1)
		return f.serving, f.serving.inHand.Done
	}
	if r.Method == http.MethodPost && path.Base(r.URL.Path) == "freeze" {
		return f.closing, func() {}
	}
	return nil, nil
}

func (f *front) pages() http.Handler {
	return f.pass(func(s *serving) http.Handler { return s.pages }, f.login)
}

func (f *front) local() http.Handler {
	return f.pass(func(s *serving) http.Handler { return s.local }, false)
}

func (f *front) pass(to func(*serving) http.Handler, strangers bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, done := f.take(r)
		if s == nil {
			f.paused(w, r, strangers)
			return
		}
		defer done()
		to(s).ServeHTTP(w, r)
	})
}

// paused answers while no instance serves. The process is alive all the same: who asks only
// that must not restart it for want of an API server. Strangers hear no more than that.
func (f *front) paused(w http.ResponseWriter, r *http.Request, strangers bool) {
	login.Headers(w.Header())
	if r.URL.Path == "/healthz" {
		_, _ = fmt.Fprintln(w, "ok")
		return
	}
	f.mu.Lock()
	why := f.waiting
	f.mu.Unlock()
	if strangers {
		why = starting
	}
	w.Header().Set("Retry-After", "1")
	answer(w, http.StatusServiceUnavailable, map[string]string{"detail": why})
}
