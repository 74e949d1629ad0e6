package login

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// patience bounds how long a token waits to be asked about, and for the answer.
const patience = 10 * time.Second

// Wrap returns next behind the guard: headers that every answer carries, our names only, no
// other origin, a small body, and where there is a login, a reader.
func (g *Guard) Wrap(next http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", g.known(next))
	if g.Reviewer != nil {
		mux.HandleFunc("GET /login", g.form)
		mux.HandleFunc("POST /login", g.enter)
		mux.HandleFunc("POST /logout", g.leave)
	}
	inner := http.NewCrossOriginProtection().Handler(mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		Headers(w.Header())
		if !g.ours(r.Host) {
			refuse(w, http.StatusMisdirectedRequest, "this K8Guard is not reached under that host name; "+
				"use localhost, or set report.url to the name you use")
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
		inner.ServeHTTP(w, r)
	})
}

// Headers are those that every answer carries.
func Headers(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self' data:; "+
		"form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
}

// ours refuses foreign names: a page of an attacker whose name resolves to our address would
// otherwise be of our origin. Where there is a login, a bare address is ours, too: it is no
// name that could be made to resolve to us, and probes and scrapers use it.
func (g *Guard) ours(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.ToLower(strings.Trim(host, "[]"))
	if host == "localhost" || (g.Host != "" && host == strings.ToLower(g.Host)) {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && (ip.IsLoopback() || g.Reviewer != nil)
}

func (g *Guard) open(path string) bool { return slices.Contains(g.Open, path) }

// known lets readers through, and asks all others to log in.
func (g *Guard) known(next http.Handler) http.Handler {
	if g.Reviewer == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, asked := bearer(r.Header)
		ask := g.who
		if !asked {
			token, _ = g.Book.token(g.id(r))
			ask = g.again
		}
		if g.open(r.URL.Path) && token == "" {
			next.ServeHTTP(w, r)
			return
		}
		who, code, err := ask(r, token)
		switch {
		case code != 0 && g.open(r.URL.Path):
			next.ServeHTTP(w, r) // as nobody
		case code == http.StatusUnauthorized && !asked && browser(r):
			http.Redirect(w, r, "/login?next="+url.QueryEscape(local(r.URL.RequestURI())), http.StatusSeeOther)
		case code != 0:
			g.deny(w, r, code, err)
		default:
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), readerKey{}, &who)))
		}
	})
}

// who asks whom the token belongs to. A code other than 0 is the answer to give.
func (g *Guard) who(r *http.Request, token string) (Reader, int, error) {
	if token == "" {
		return Reader{}, http.StatusUnauthorized, nil
	}
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	done, known, err := g.Book.turn(ctx, token)
	if err != nil || !known && !g.Book.allowed(r.RemoteAddr) {
		if err == nil {
			done()
		}
		return Reader{}, http.StatusTooManyRequests, nil
	}
	defer done()
	who, err := g.Reviewer.Who(ctx, token)
	switch {
	case errors.Is(err, ErrToken):
		g.Book.distrust(token)
		g.Book.charge(r.RemoteAddr)
		g.Log.WarnContext(r.Context(), "login: a token that is nobody's", "address", r.RemoteAddr)
		return Reader{}, http.StatusUnauthorized, nil
	case err != nil:
		return Reader{}, http.StatusServiceUnavailable, err
	}
	g.Book.trust(token)
	return who, 0, nil
}

// again asks about a session's token. It was good once, so that it counts as no try; a session
// whose token is nobody's any more is over.
func (g *Guard) again(r *http.Request, token string) (Reader, int, error) {
	if token == "" {
		return Reader{}, http.StatusUnauthorized, nil
	}
	who, err := g.Reviewer.Who(r.Context(), token)
	switch {
	case errors.Is(err, ErrToken):
		g.Book.distrust(token)
		g.Book.end(g.id(r))
		return Reader{}, http.StatusUnauthorized, nil
	case err != nil:
		return Reader{}, http.StatusServiceUnavailable, err
	}
	return who, 0, nil
}

func (g *Guard) deny(w http.ResponseWriter, r *http.Request, code int, err error) {
	switch code {
	case http.StatusTooManyRequests:
		w.Header().Set("Retry-After", "60")
		refuse(w, code, "too many tokens that are nobody's came from this address; wait a minute")
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", `Bearer realm="k8guard"`)
		refuse(w, code, "send Authorization: Bearer TOKEN with a token of the cluster (kubectl create token NAME), or log in at /login")
	default:
		g.unasked(w, r, err)
	}
}

// unasked says that the API server gave no answer, and why.
func (g *Guard) unasked(w http.ResponseWriter, r *http.Request, err error) {
	g.Log.ErrorContext(r.Context(), "login: the API server could not be asked", "error", err)
	refuse(w, http.StatusServiceUnavailable, "the API server could not be asked who you are and what you may see: "+Why(err))
}

// browser says that a person looks at the answer.
func browser(r *http.Request) bool {
	return (r.Method == http.MethodGet || r.Method == http.MethodHead) && strings.Contains(r.Header.Get("Accept"), "text/html")
}

// refuse answers as RFC 9457 has it.
func refuse(w http.ResponseWriter, code int, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(map[string]any{"title": http.StatusText(code), "status": code, "detail": detail})
}
