package login_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/login"
)

// people is an API server that knows two tokens.
type people struct {
	revoked, down bool
	trouble       error // when it is down
	asked         int
}

func (p *people) Who(_ context.Context, token string) (login.Reader, error) {
	p.asked++
	switch {
	case p.down:
		return login.Reader{}, p.trouble
	case p.revoked || !strings.HasPrefix(token, "good."):
		return login.Reader{}, login.ErrToken
	}
	return login.Reader{Name: strings.TrimPrefix(token, "good.")}, nil
}

func (p *people) May(_ context.Context, who login.Reader, right login.Right, namespace string) (bool, error) {
	return who.Name == "ada" && right == login.See && namespace == "", nil
}

func (p *people) MayNow(ctx context.Context, who login.Reader, right login.Right, namespace string) (bool, error) {
	return p.May(ctx, who, right, namespace)
}

type house struct {
	people *people
	now    time.Time
	log    bytes.Buffer
	h      http.Handler
}

func newHouse(t *testing.T, secure bool) *house {
	t.Helper()
	h := &house{people: &people{trouble: login.Told("K8Guard's account may not create tokenreviews; apply deploy/rbac-report.yaml")}, now: time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)}
	g, err := login.New(login.Settings{Reviewer: h.people, Book: login.NewBook(func() time.Time { return h.now }), Host: "guard.example.com",
		Secure: secure, Open: []string{"/style.css"}, Log: slog.New(slog.NewTextHandler(&h.log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	hello := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who := login.ReaderOf(r.Context())
		if who == nil {
			who = &login.Reader{Name: "nobody"}
		}
		_, _ = fmt.Fprint(w, "hello ", who.Name)
	})
	mux.Handle("/", hello)
	mux.Handle("/everything", g.All(hello))
	h.h = g.Wrap(mux)
	return h
}

func (h *house) ask(method, path, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://guard.example.com"+path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "From" {
			r.RemoteAddr = headers[i+1]
			continue
		}
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.h.ServeHTTP(w, r)
	return w
}

// enter logs in and returns the session's cookie.
func (h *house) enter(t *testing.T, token string) *http.Cookie {
	t.Helper()
	w := h.ask("POST", "/login", "next=%2Fcases&token="+token, "Sec-Fetch-Site", "same-origin")
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/cases" || len(w.Result().Cookies()) != 1 {
		t.Fatalf("login: %d %v", w.Code, w.Header())
	}
	return w.Result().Cookies()[0]
}

func TestWhoIsLetIn(t *testing.T) {
	for name, tc := range map[string]struct {
		path    string
		headers []string
		code    int
		want    string
	}{
		"nobody":                {"/", nil, 401, "/login"},
		"nobody in a browser":   {"/cases?x=1", []string{"Accept", "text/html"}, 303, ""},
		"a wrong token":         {"/", []string{"Authorization", "Bearer bad"}, 401, ""},
		"a wrong one, browser":  {"/", []string{"Authorization", "Bearer bad", "Accept", "text/html"}, 401, ""},
		"no bearer":             {"/", []string{"Authorization", "Basic Z29vZC5hZGE="}, 401, ""},
		"two tokens":            {"/", []string{"Authorization", "Bearer good.ada", "Authorization", "Bearer good.bo"}, 401, ""},
		"a good token":          {"/", []string{"Authorization", "bearer  good.ada"}, 200, "hello ada"},
		"what is open":          {"/style.css", nil, 200, "hello nobody"},
		"below what is open":    {"/style.css/x", nil, 401, ""},
		"all, who sees all":     {"/everything", []string{"Authorization", "Bearer good.ada"}, 200, "hello ada"},
		"all, who sees a part":  {"/everything", []string{"Authorization", "Bearer good.bo"}, 403, "every namespace"},
		"a cookie that is none": {"/", []string{"Cookie", "k8guard=" + strings.Repeat("a", 43)}, 401, ""},
	} {
		w := newHouse(t, false).ask("GET", tc.path, "", tc.headers...)
		if w.Code != tc.code || !strings.Contains(w.Body.String(), tc.want) {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
		if w.Header().Get("Content-Security-Policy") == "" || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: headers %v", name, w.Header())
		}
	}
}

func TestSessions(t *testing.T) {
	h := newHouse(t, true)
	c := h.enter(t, "good.ada")
	if !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteStrictMode || c.Name != "__Host-k8guard" || c.Path != "/" || strings.Contains(c.Value, "good") {
		t.Errorf("cookie %v", c)
	}
	cookie := c.Name + "=" + c.Value
	hello := func(step string, code int) {
		t.Helper()
		if w := h.ask("GET", "/", "", "Cookie", cookie); w.Code != code {
			t.Errorf("%s: %d, want %d", step, w.Code, code)
		}
	}
	hello("logged in", 200)
	if w := h.ask("GET", "/", "", "Cookie", cookie, "Authorization", "Bearer bad"); w.Code != 401 {
		t.Errorf("a wrong token beside a cookie: %d", w.Code)
	}
	if w := h.ask("GET", "/", "", "Cookie", cookie, "Cookie", c.Name+"="+strings.Repeat("b", 43)); w.Code != 401 {
		t.Errorf("two cookies: %d", w.Code)
	}
	h.now = h.now.Add(7*time.Hour + 59*time.Minute)
	hello("before its end", 200)
	h.people.revoked = true
	hello("token revoked", 401)
	h.people.revoked = false
	hello("a session ends with its token", 401)
	c = h.enter(t, "good.ada")
	cookie = c.Name + "=" + c.Value
	h.now = h.now.Add(8*time.Hour - time.Second)
	hello("before its end", 200)
	h.now = h.now.Add(2 * time.Second)
	hello("after its end", 401)
	c = h.enter(t, "good.ada")
	cookie = c.Name + "=" + c.Value
	h.now = h.now.Add(time.Second)
	if w := h.ask("POST", "/logout", "x=1", "Cookie", cookie, "Sec-Fetch-Site", "cross-site"); w.Code != 403 {
		t.Errorf("another site logs out: %d", w.Code)
	}
	if w := h.ask("POST", "/logout", "x=1", "Cookie", cookie, "Sec-Fetch-Site", "same-origin"); w.Code != 303 || w.Result().Cookies()[0].MaxAge >= 0 {
		t.Errorf("logout: %d %v", w.Code, w.Result().Cookies())
	}
	hello("logged out", 401)
}

func TestOtherSitesChangeNothing(t *testing.T) {
	h := newHouse(t, false)
	c := h.enter(t, "good.ada")
	for _, headers := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}, {"Origin", "null"}} {
		headers = append(headers, "Cookie", c.Name+"="+c.Value)
		for _, path := range []string{"/freeze", "/login", "/logout"} {
			if w := h.ask("POST", path, "token=good.ada", headers...); w.Code != 403 {
				t.Errorf("POST %s %v: %d", path, headers, w.Code)
			}
		}
	}
}

func TestHostsWithALogin(t *testing.T) {
	h := newHouse(t, false)
	for host, code := range map[string]int{"guard.example.com:8443": 200, "10.1.2.3:8686": 200, "[fd00::1]:1": 200, "evil.example": 421, "10.1.2.3.evil.example": 421, "": 421} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Host = host
		r.Header.Set("Authorization", "Bearer good.ada")
		w := httptest.NewRecorder()
		if h.h.ServeHTTP(w, r); w.Code != code {
			t.Errorf("Host %q: %d, want %d", host, w.Code, code)
		}
	}
}

func TestTroubleIsSaidAndNoTokenIsShown(t *testing.T) {
	h := newHouse(t, false)
	var shown strings.Builder
	show := func(w *httptest.ResponseRecorder, code int) {
		t.Helper()
		if w.Code != code {
			t.Errorf("%d, want %d: %s", w.Code, code, w.Body)
		}
		fmt.Fprint(&shown, w.Header(), w.Body)
	}
	show(h.ask("POST", "/login", "token=good.hush"), 303)
	show(h.ask("POST", "/login", "token=bad.hush"), 401)
	show(h.ask("GET", "/", "", "Authorization", "Bearer bad.hush"), 401)
	show(h.ask("GET", "/login?next=//evil.example", ""), 200)
	h.people.down = true
	show(h.ask("POST", "/login", "token=good.hush"), 503)
	show(h.ask("GET", "/", "", "Authorization", "Bearer good.hush"), 503)
	h.people.trouble = errors.New("dial tcp 10.0.0.1:6443: connection refused")
	show(h.ask("POST", "/login", "token=good.hush"), 503)
	show(h.ask("GET", "/", "", "Authorization", "Bearer good.hush"), 503)
	if strings.Contains(shown.String(), "10.0.0.1") || !strings.Contains(h.log.String(), "10.0.0.1") {
		t.Error("where the API server is, is for the log: ", shown.String())
	}
	if all := shown.String() + h.log.String(); strings.Contains(all, ".hush") || !strings.Contains(shown.String(), "rbac-report.yaml") || strings.Contains(all, "evil") {
		t.Error(all)
	}
}

func TestNewWantsABook(t *testing.T) {
	if _, err := login.New(login.Settings{Reviewer: &people{}}); err == nil {
		t.Error("no error")
	}
}

// FuzzHeaders gives what a stranger may write, and wants that nobody gets in by it, and that
// nobody is sent elsewhere.
func FuzzHeaders(f *testing.F) {
	for _, text := range []string{"Bearer good", "bearer", "Bearer \x00", "Bearer a b", "//evil.example", "/\\evil.example", "https://evil.example", "/cases?q=%0d%0a", "/%5cevil.example", "/a//b", "k8guard=x; k8guard=y", "\t/x"} {
		f.Add(text, text, text)
	}
	f.Fuzz(func(t *testing.T, authorization, cookie, next string) {
		h := newHouse(&testing.T{}, false)
		r := httptest.NewRequest("GET", "http://localhost/", nil)
		r.Header["Authorization"], r.Header["Cookie"] = []string{authorization}, []string{cookie}
		w := httptest.NewRecorder()
		h.h.ServeHTTP(w, r)
		if w.Code == 200 && !strings.Contains(authorization, "good.") || w.Code != 200 && w.Code != 401 {
			t.Fatalf("%q %q: %d", authorization, cookie, w.Code)
		}
		w = h.ask("POST", "/login", url.Values{"token": {"good.ada"}, "next": {next}}.Encode())
		to, err := url.Parse(w.Header().Get("Location"))
		if err != nil || w.Code != 303 || to.Host != "" || to.Scheme != "" || !strings.HasPrefix(w.Header().Get("Location"), "/") ||
			len(w.Header().Get("Location")) > 1 && strings.ContainsAny(w.Header().Get("Location")[1:2], `/\`) || strings.ContainsAny(w.Header().Get("Location"), "\r\n\t") {
			t.Fatalf("next %q: %d %q", next, w.Code, w.Header().Get("Location"))
		}
	})
}
