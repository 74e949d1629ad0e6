package report_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/k8guard/k8guard/internal/cache"
	"github.com/k8guard/k8guard/internal/cache/memory"
	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/login"
	"github.com/k8guard/k8guard/internal/report"
)

// tallied is a ledger that tells its position, and counts what it is asked.
type tallied struct {
	shelf
	mu    sync.Mutex
	at    int
	lost  error // the position cannot be told
	asked int
	wait  chan struct{} // nil does not wait
}

func (c *tallied) Position(context.Context) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return fmt.Sprint(c.at), c.lost
}

func (c *tallied) Overview(_ context.Context, part ledger.Part) (ledger.Overview, error) {
	c.mu.Lock()
	c.asked++
	n, wait := c.asked, c.wait
	c.mu.Unlock()
	if wait != nil {
		<-wait
	}
	return ledger.Overview{ByStatus: map[string]int{fmt.Sprint(part.Namespaces): n}, Acted: n, Newest: noon()}, nil
}

func (c *tallied) change(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f()
}

func overviews(t *testing.T, l *tallied, guarded bool) func(reader string) (ledger.Overview, int) {
	t.Helper()
	store, err := memory.New(1<<20, 0)
	if err != nil {
		t.Fatal(err)
	}
	s := report.Settings{Ledger: l, Control: &desk{}, Now: noon, Answers: cache.New(store, "answers"), Cluster: "k"}
	if guarded {
		if s.Guard, err = login.New(login.Settings{Reviewer: people{}, Book: login.NewBook(noon)}); err != nil {
			t.Fatal(err)
		}
	}
	h, err := report.New(s)
	if err != nil {
		t.Fatal(err)
	}
	return func(reader string) (o ledger.Overview, code int) {
		r := httptest.NewRequest(http.MethodGet, "http://localhost/api/v1/overview", nil)
		if reader != "" {
			r.Header.Set("Authorization", "Bearer "+reader)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code == http.StatusOK {
			if err := json.Unmarshal(w.Body.Bytes(), &o); err != nil {
				t.Error(err)
			}
		}
		return o, w.Code
	}
}

func TestCountsAreKeptUntilSomethingChanges(t *testing.T) {
	l := &tallied{}
	overview := overviews(t, l, false)
	want := func(n int) {
		t.Helper()
		if o, code := overview(""); code != http.StatusOK || o.Acted != n || !o.Newest.Equal(noon()) {
			t.Errorf("%d: counted %d times, want %d", code, o.Acted, n)
		}
	}
	want(1)
	want(1)
	l.change(func() { l.at++ })
	want(2)
	want(2)
	l.change(func() { l.lost = errors.New("lost") })
	want(3)
	want(4)
}

func TestManyAskAndOneCounts(t *testing.T) {
	l := &tallied{wait: make(chan struct{})}
	overview := overviews(t, l, false)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if o, code := overview(""); code != http.StatusOK || o.Acted != 1 {
				t.Errorf("%d, %+v", code, o)
			}
		})
	}
	close(l.wait)
	all.Wait()
}

// Nobody is shown what was counted for who sees more.
func TestCountsAreKeptForWhoSeesTheSame(t *testing.T) {
	l := &tallied{shelf: marked(6)}
	overview := overviews(t, l, true)
	for _, want := range []struct {
		reader string
		counts string
		n      int
	}{{"auditor", "[]", 1}, {"tenant", "[shop]", 2}, {"auditor", "[]", 1}, {"writer", "[shop]", 2}, {"operator", "[]", 1}} {
		o, code := overview(want.reader)
		if code != http.StatusOK || o.ByStatus[want.counts] != want.n {
			t.Errorf("%s: %d, %v; want the count %d of %s", want.reader, code, o.ByStatus, want.n, want.counts)
		}
	}
	if _, code := overview("stranger"); code != http.StatusUnauthorized {
		t.Errorf("a stranger gets %d", code)
	}
}
