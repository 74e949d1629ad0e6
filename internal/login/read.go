package login

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
)

const (
	maxToken = 16 << 10
	tokenSet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~+/="
)

// bearer reads the one Authorization header. Asked says that there is any: then the cookie
// does not count.
func bearer(h http.Header) (token string, asked bool) {
	values := h.Values("Authorization")
	if len(values) != 1 {
		return "", len(values) > 0
	}
	scheme, rest, _ := strings.Cut(values[0], " ")
	if token = strings.TrimLeft(rest, " "); !strings.EqualFold(scheme, "bearer") || !plausible(token) {
		return "", true
	}
	return token, true
}

// plausible says that the text has the form of a bearer token (RFC 6750): nothing else is
// worth a question to the API server.
func plausible(token string) bool {
	return token != "" && len(token) <= maxToken && strings.Trim(token, tokenSet) == "" &&
		!strings.ContainsFunc(token, func(r rune) bool { return !strings.ContainsRune(tokenSet, r) })
}

// name is the session cookie's; __Host- keeps other hosts of the domain from setting it.
func (g *Guard) name() string {
	if g.Secure {
		return "__Host-k8guard"
	}
	return "k8guard"
}

// id reads the session's id. Two cookies of the name are none: one of them is forged.
func (g *Guard) id(r *http.Request) string {
	all := r.CookiesNamed(g.name())
	if len(all) != 1 || len(all[0].Value) != base64.RawURLEncoding.EncodedLen(idBytes) {
		return ""
	}
	return all[0].Value // what is no id of ours is none that the book knows
}

// local returns the path and query of an address of ours, "/" for everything else.
func local(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" || strings.ContainsAny(next, "\\\r\n\t") ||
		!strings.HasPrefix(u.Path, "/") || strings.HasPrefix(u.Path, "//") || strings.HasPrefix(next, "//") ||
		u.Path == "/login" || u.Path == "/logout" || strings.Contains(u.Path, "\\") {
		return "/"
	}
	return (&url.URL{Path: u.Path, RawQuery: u.RawQuery}).RequestURI()
}
