package login_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/login"
)

// try sends a token from an address.
func (h *house) try(from, token string) int {
	return h.ask("GET", "/", "", "From", from, "Authorization", "Bearer "+token).Code
}

// drain tries until neither the address nor all who tried too much may ask.
func (h *house) drain(from string) (asked int) {
	for i := range 100 {
		if h.try(from, fmt.Sprint("bad", i)) == 401 {
			asked++
		}
	}
	return asked
}

func TestWrongTokensAreBounded(t *testing.T) {
	h := newHouse(t, false)
	if h.try("192.0.2.1:1", "good.neighbour") != 200 {
		t.Fatal("a good token")
	}
	if n := h.drain("192.0.2.1:1"); n != 30 || h.people.asked != 31 {
		t.Errorf("%d wrong tokens were asked about, want 10 and the 20 that all addresses share", n)
	}
	if h.try("192.0.2.1:9", "good.neighbour") != 200 || h.try("192.0.2.2:9", "good.bo") != 200 || h.try("192.0.2.1:9", "good.new") != 429 {
		t.Error("who was good lately, or comes from elsewhere, is let in; a new one waits")
	}
	for i := range 40 { // of one customer's IPv6
		h.try(fmt.Sprintf("[2001:db8:1:2::%x]:1", i+1), "bad")
	}
	if h.people.asked != 31+2+10 {
		t.Errorf("asked %d times", h.people.asked)
	}
	h.people.revoked = true
	if a, b := h.try("192.0.2.1:9", "good.neighbour"), h.try("192.0.2.1:9", "good.neighbour"); a != 401 || b != 429 {
		t.Errorf("what was good once is counted again: %d %d", a, b)
	}
	h.people.revoked, h.now = false, h.now.Add(time.Second)
	if h.try("192.0.2.1:9", "good.new") != 200 {
		t.Error("a second later a good token is let in again")
	}
}

// TestANeighbourShutsNobodyOut: behind a proxy all readers are one address.
func TestANeighbourShutsNobodyOut(t *testing.T) {
	h := newHouse(t, true)
	c := h.enter(t, "good.ada")
	h.now = h.now.Add(11 * time.Minute)
	for i := range 11 {
		h.ask("GET", "/", "", "Authorization", fmt.Sprint("Bearer bad", i))
	}
	if w := h.ask("POST", "/login", "token=good.bo"); w.Code != 303 {
		t.Errorf("a good login: %d", w.Code)
	}
	if w := h.ask("POST", "/freeze", "scope=global", "Authorization", "Bearer good.operator"); w.Code != 200 {
		t.Errorf("an emergency freeze: %d", w.Code)
	}
	h.drain("192.0.2.1:1234") // httptest's
	if w := h.ask("GET", "/", "", "Cookie", c.Name+"="+c.Value); w.Code != 200 {
		t.Errorf("a session: %d", w.Code)
	}
}

func TestTroubleOfTheAPIServerIsNoTry(t *testing.T) {
	h := newHouse(t, false)
	h.people.down = true
	for range 60 {
		if code := h.try("192.0.2.1:1", "good.ada"); code != 503 {
			t.Fatal(code)
		}
	}
	h.people.down = false
	if code := h.try("192.0.2.1:1", "good.ada"); code != 200 {
		t.Error(code)
	}
}

// TestTriesAreCountedOn: what an address used up stays so while it goes on.
func TestTriesAreCountedOn(t *testing.T) {
	h := newHouse(t, true)
	for range 600 {
		h.now = h.now.Add(time.Second)
		for i := range 10 { // each second also uses what all share
			h.try("192.0.2.1:1", fmt.Sprint("bad", i))
		}
	}
	if most := 10 + 600/6 + 20 + 600*5; h.people.asked > most || h.people.asked < most/2 {
		t.Errorf("%d tries in ten minutes of one address, at most %d", h.people.asked, most)
	}
}

type strangers struct{ n, open, most atomic.Int64 }

func (p *strangers) Who(context.Context, string) (login.Reader, error) {
	p.n.Add(1)
	open := p.open.Add(1)
	defer p.open.Add(-1)
	for m := p.most.Load(); open > m && !p.most.CompareAndSwap(m, open); m = p.most.Load() {
	}
	time.Sleep(time.Millisecond)
	return login.Reader{}, login.ErrToken
}

func (*strangers) May(context.Context, login.Reader, login.Right, string) (bool, error) {
	return false, nil
}

func (*strangers) MayNow(context.Context, login.Reader, login.Right, string) (bool, error) {
	return false, nil
}

func TestManyAtOnceAreCounted(t *testing.T) {
	p, now := &strangers{}, time.Now()
	g, err := login.New(login.Settings{Reviewer: p, Book: login.NewBook(func() time.Time { return now })})
	if err != nil {
		t.Fatal(err)
	}
	h := g.Wrap(http.NotFoundHandler())
	var group sync.WaitGroup
	for i := range 200 {
		group.Go(func() {
			r := httptest.NewRequest("GET", "http://localhost/", strings.NewReader(""))
			r.Header.Set("Authorization", fmt.Sprint("Bearer bad", i))
			h.ServeHTTP(httptest.NewRecorder(), r)
		})
	}
	group.Wait()
	// Those that are under way when the last try is used up are asked about still.
	if p.n.Load() > 10+8+20 || p.most.Load() > 8 {
		t.Errorf("of 200 at once, asked about %d, %d at a time", p.n.Load(), p.most.Load())
	}
}

// TestNobodysLoginsEndAnothersSession logs in more often than there is room.
func TestNobodysLoginsEndAnothersSession(t *testing.T) {
	h := newHouse(t, true)
	c := h.enter(t, "good.ada")
	first := h.enter(t, "good.mallory")
	var last *http.Cookie
	for range 10_001 {
		last = h.enter(t, "good.mallory")
	}
	for i, tc := range []struct {
		cookie *http.Cookie
		code   int
	}{{c, 200}, {first, 401}, {last, 200}} {
		if w := h.ask("GET", "/", "", "Cookie", tc.cookie.Name+"="+tc.cookie.Value); w.Code != tc.code {
			t.Errorf("session %d: %d, want %d", i, w.Code, tc.code)
		}
	}
}
