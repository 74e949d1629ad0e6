package faults

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/k8guard/k8guard/internal/config"
)

// secrets are those of the channels, each in a file and with a mark that is found again.
type secrets struct {
	t    *testing.T
	dir  string
	used []string
}

func newSecrets(h *house) *secrets { return &secrets{t: h.t, dir: h.dir} }

// file keeps a secret; before it may stand what is none.
func (s *secrets) file(name, before, mark string) string {
	s.t.Helper()
	s.used = append(s.used, mark)
	path := filepath.Join(s.dir, name)
	if err := os.WriteFile(path, []byte(before+mark+"\n"), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return path
}

func (s *secrets) slack(v *voice, users ...config.ChatUser) config.Slack {
	v.ask = map[string]string{"/api/conversations.members": `{"ok":true,"members":["UBOT","` + slackID + `"]}`}
	return config.Slack{Channel: "C0STAGE", BaseURL: v.url + "/api", Users: users, TokenFile: s.file("slack-token", "", "xoxb-5lack-m4rk-0123456789")}
}

func (s *secrets) hipChat(v *voice) config.HipChat {
	return config.HipChat{BaseURL: v.url, Room: "stage", TokenFile: s.file("hipchat-token", "", "h1pchat-m4rk-0123456789")}
}

func (s *secrets) webhook(name string, v *voice) config.Webhook {
	return config.Webhook{Name: name, URLFile: s.file(name+"-url", v.url+"/in/", "addr3ss-m4rk-of-"+name), KeyFile: s.file(name+"-key", "", "k3y-m4rk-0123456789-of-"+name)}
}

func (s *secrets) notIn(where, text string) {
	s.t.Helper()
	if text == "" {
		s.t.Errorf("%s is empty: nothing can be concluded", where)
	}
	for _, mark := range s.used {
		if strings.Contains(text, mark) {
			s.t.Errorf("%s shows %s", where, mark)
		}
	}
}

// noSecret walks all that the running K8Guard answers.
func (h *house) noSecret(s *secrets) {
	h.t.Helper()
	socket := http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", filepath.Join(h.Config.Data.Dir, "k8guard.sock"))
	}}}
	paths := []string{"/", "/cases", "/cases.csv", "/history", "/history.csv", "/next", "/owners", "/enforcement", "/budget", "/config", "/version", "/metrics", "/healthz", "/readyz",
		"/nothing", "/api/v1/acts", "/api/v1/budget", "/api/v1/cases", "/api/v1/history", "/api/v1/next", "/api/v1/openapi.json", "/api/v1/overview", "/api/v1/owners",
		"/api/v1/status", "/api/v1/whoowns?namespace=" + h.ns, "/api/v1/nothing"}
	for _, r := range h.rows("web") {
		paths = append(paths, "/cases/"+r.ID, "/api/v1/cases/"+r.ID)
	}
	for _, path := range paths {
		s.notIn("the socket's "+path, h.answer(&socket, "http://localhost"+path))
		s.notIn("the page "+path, h.answer(http.DefaultClient, "http://"+h.Config.Report.Listen+path))
	}
	s.notIn("the ledger", h.read(h.LedgerFile())+h.read(h.LedgerFile()+"-wal"))
}

func (h *house) answer(c *http.Client, url string) string {
	h.t.Helper()
	r, err := http.NewRequestWithContext(h.t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		h.t.Fatal(err)
	}
	resp, err := c.Do(r)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return resp.Status + " " + string(text)
}

func (h *house) read(file string) string {
	h.t.Helper()
	text, err := os.ReadFile(file)
	if err != nil && !os.IsNotExist(err) {
		h.t.Fatal(err)
	}
	return string(text)
}
