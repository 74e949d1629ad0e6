package cli

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestProbe(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/readyz" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_, _ = w.Write([]byte("as \x1b[31mit says\n"))
	})
	plain, safe := httptest.NewServer(h), httptest.NewTLSServer(h)
	defer plain.Close()
	defer safe.Close()
	gone := httptest.NewServer(h)
	gone.Close()
	for _, c := range []struct {
		where, want string
		code        int
	}{
		{plain.URL + "/healthz", `as \x1b[31mit says`, 0},
		{safe.URL + "/healthz", `as \x1b[31mit says`, 0},
		{plain.URL + "/readyz", "not ready: as ", ExitFailure},
		{gone.URL, "nothing answers", ExitFailure},
		{"http://k8guard.example.com/healthz", "is not on this host; write http://127.0.0.1:8686/readyz", ExitFailure},
		{"file:///etc/passwd", "is not on this host", ExitFailure},
		{"http://127.0.0.1.example.com/", "is not on this host", ExitFailure},
	} {
		out, _, err := with(t, nil, "probe", c.where)
		if err != nil {
			out = Message(err)
		}
		if Code(err) != c.code || !strings.Contains(out, c.want) || strings.Contains(out, "\x1b") {
			t.Errorf("%s: %d %q", c.where, Code(err), out)
		}
	}
}
