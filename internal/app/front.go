package app

import (
	"net/http"
	"sync"
	"time"
)

// front passes requests to the instance that runs now. Closed, it answers by itself.
type front struct {
	mu      sync.Mutex
	serving *serving
}

// serving is one instance's handlers, and the requests that it has in hand.
type serving struct {
	pages, local http.Handler
	inHand       sync.WaitGroup
}

func newFront() *front { return &front{} }

// open lets requests through to the instance.
func (f *front) open(in *instance) error {
	pages, err := in.handler()
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.serving = &serving{pages: pages, local: in.local(pages)}
	return nil
}

// close lets no new request through, and waits for those in hand.
func (f *front) close(limit time.Duration) {
	f.mu.Lock()
	was := f.serving
	f.serving = nil
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

func (f *front) take() *serving {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.serving != nil {
		f.serving.inHand.Add(1)
	}
	return f.serving
}

func (f *front) pages() http.Handler { return f.pass(func(s *serving) http.Handler { return s.pages }) }
func (f *front) local() http.Handler { return f.pass(func(s *serving) http.Handler { return s.local }) }

func (f *front) pass(to func(*serving) http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s := f.take()
		if s == nil {
			paused(w, r)
			return
		}
		defer s.inHand.Done()
		to(s).ServeHTTP(w, r)
	})
}
