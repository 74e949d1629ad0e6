package login

import (
	"net/http"
	"strings"
)

func (g *Guard) form(w http.ResponseWriter, r *http.Request) {
	g.show(w, r, http.StatusOK, "")
}

func (g *Guard) show(w http.ResponseWriter, r *http.Request, code int, trouble string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(code)
	_ = page(local(r.FormValue("next")), trouble).Render(r.Context(), w)
}

// enter begins a session, a new one each time: no id from before a login lives on after it.
func (g *Guard) enter(w http.ResponseWriter, r *http.Request) {
	token := strings.TrimSpace(r.PostFormValue("token"))
	if !plausible(token) {
		token = ""
	}
	who, code, err := g.who(r, token)
	switch code {
	case 0:
	case http.StatusUnauthorized:
		g.show(w, r, code, "This token is nobody's, or has expired.")
		return
	case http.StatusTooManyRequests:
		w.Header().Set("Retry-After", "60")
		g.show(w, r, code, "Too many tokens that are nobody's came from this address. Wait a minute.")
		return
	default:
		g.Log.ErrorContext(r.Context(), "login: the API server could not be asked", "error", err)
		g.show(w, r, code, "The API server could not be asked: "+Why(err)+".")
		return
	}
	g.Book.end(g.id(r))
	g.Log.InfoContext(r.Context(), "login: a reader came", "name", who.Name, "address", r.RemoteAddr)
	g.cookie(w, g.Book.begin(who, token), int(sessionLife.Seconds()))
	http.Redirect(w, r, local(r.PostFormValue("next")), http.StatusSeeOther) //nolint:gosec // local lets addresses of ours through only
}

func (g *Guard) leave(w http.ResponseWriter, r *http.Request) {
	g.Book.end(g.id(r))
	g.cookie(w, "", -1)
	http.Redirect(w, r, "/login", http.StatusSeeOther)
}

func (g *Guard) cookie(w http.ResponseWriter, value string, age int) {
	http.SetCookie(w, &http.Cookie{Name: g.name(), Value: value, Path: "/", MaxAge: age, HttpOnly: true, Secure: g.Secure, //nolint:gosec // Secure wherever readers come by https
		SameSite: http.SameSiteStrictMode})
}
