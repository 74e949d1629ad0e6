package app_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/app"
	"github.com/k8guard/k8guard/internal/config"
)

// patience bounds what a loaded machine may take.
const patience = 30 * time.Second

// instance is a running K8Guard.
type instance struct {
	settings app.Settings
	url      string
	stop     func() error
}

func run(t testing.TB, s app.Settings, seen *lines) *instance {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- app.Run(ctx, s) }()
	in := &instance{settings: s, stop: func() error { cancel(); return <-ended }}
	select {
	case in.url = <-seen.address:
	case err := <-ended:
		cancel()
		t.Fatalf("it did not start: %v", err)
	case <-time.After(patience):
		cancel()
		t.Fatal("it did not start in time")
	}
	return in
}

func ask(t testing.TB, c *http.Client, method, url, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	must(t, err)
	resp, err := c.Do(req)
	must(t, err)
	text, err := io.ReadAll(resp.Body)
	must(t, errors.Join(err, resp.Body.Close()))
	return resp.StatusCode, string(text)
}

func TestADeadAPIServerDoesNotHoldAStop(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	server := "http://" + l.Addr().String()
	must(t, l.Close())
	s, seen := settings(t, server)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- app.Run(ctx, s) }()
	select {
	case <-seen.retries:
	case <-time.After(patience):
		t.Fatal("nothing is said of a server that does not answer")
	}
	asked := time.Now()
	cancel()
	if err := <-ended; err != nil || time.Since(asked) > 5*time.Second { // a stop that was asked for is no failure
		t.Errorf("%v after %s", err, time.Since(asked))
	}
	if _, err := os.Stat(app.Socket(s.Config)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a socket is left behind: %v", err)
	}
}

func TestASecondInstanceOnOneFolderIsRefused(t *testing.T) {
	c := newCluster(t)
	s, seen := settings(t, c.URL)
	first := run(t, s, seen)
	err := app.Run(t.Context(), s)
	if err == nil || !strings.Contains(err.Error(), "another k8guard runs") {
		t.Errorf("%v", err)
	}
	// The first is unharmed: its socket still answers.
	if code, text := ask(t, over(app.Socket(s.Config)), http.MethodGet, "http://localhost/healthz", ""); code != http.StatusOK {
		t.Errorf("%d %s", code, text)
	}
	must(t, first.stop())
	// And the folder is free again.
	must(t, run(t, s, seen).stop())
}

func TestTwoInstancesLiveSideBySide(t *testing.T) {
	c := newCluster(t)
	var both []*instance
	for range 2 {
		s, seen := settings(t, c.URL)
		both = append(both, run(t, s, seen))
	}
	if both[0].url == both[1].url {
		t.Error("one address for both")
	}
	for _, in := range both {
		for _, at := range []string{"/healthz", "/", "/metrics", "/cases"} {
			if code, text := ask(t, over(""), http.MethodGet, in.url+at, ""); code != http.StatusOK {
				t.Errorf("%s: %d %s", at, code, text)
			}
		}
	}
	must(t, both[0].stop())
	if code, _ := ask(t, over(""), http.MethodGet, both[1].url+"/healthz", ""); code != http.StatusOK {
		t.Errorf("the other one stopped too: %d", code)
	}
	must(t, both[1].stop())
}

func TestReadySaysWhatIsMissing(t *testing.T) {
	c := newCluster(t)
	c.denied["ingresses"] = true
	s, seen := settings(t, c.URL)
	in := run(t, s, seen)
	defer func() { must(t, in.stop()) }()
	until := func(what string, ok func(code int, text string) bool) {
		t.Helper()
		code, text := 0, ""
		for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
			if code, text = ask(t, over(""), http.MethodGet, in.url+"/readyz", ""); ok(code, text) {
				return
			}
		}
		t.Errorf("%s: %d %s", what, code, text)
	}
	until("only ingresses are missing", func(code int, text string) bool {
		return code == http.StatusServiceUnavailable && strings.Count(text, "not complete") == 1 && strings.Contains(text, "Ingress") && strings.Contains(text, "orbidden")
	})
	c.mu.Lock()
	c.denied["ingresses"] = false
	c.mu.Unlock()
	until("all is read", func(code int, text string) bool { return code == http.StatusOK && text == "ok\n" })
}

func TestOnlyTheSocketTakesCommands(t *testing.T) {
	c := newCluster(t)
	s, seen := settings(t, c.URL)
	in := run(t, s, seen)
	defer func() { must(t, in.stop()) }()
	socket := app.Socket(s.Config)
	info, err := os.Stat(socket)
	if must(t, err); info.Mode().Perm() != 0o600 || info.Mode()&os.ModeSocket == 0 {
		t.Errorf("the socket's mode is %s", info.Mode())
	}
	for _, test := range []struct {
		method, path, body string
		code               int // over the socket
	}{
		{http.MethodGet, "/api/v1/whoowns?namespace=shop", "", http.StatusOK},
		{http.MethodGet, "/api/v1/whoowns?namespace=none", "", http.StatusNotFound},
		{http.MethodGet, "/api/v1/whoowns", "", http.StatusNotFound},
		{http.MethodPost, "/api/v1/breaker/close", `{"by": "ada", "reason": "looked"}`, http.StatusConflict},
		{http.MethodPost, "/api/v1/breaker/close", `nonsense`, http.StatusBadRequest},
	} {
		if code, text := ask(t, over(socket), test.method, "http://localhost"+test.path, test.body); code != test.code {
			t.Errorf("socket, %s %s: %d %s", test.method, test.path, code, text)
		}
		code, text := ask(t, over(""), test.method, in.url+test.path, test.body)
		if code < 400 || strings.Contains(text, "ada@example.com") || strings.Contains(text, "breaker is closed") {
			t.Errorf("TCP, %s %s: %d %s", test.method, test.path, code, text)
		}
	}
	for _, path := range []string{"/metrics", "/readyz", "/healthz", "/"} {
		for host, refused := range map[string]bool{"evil.example": true, "localhost": false} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, in.url+path, nil)
			must(t, err)
			req.Host = host
			resp, err := over("").Do(req)
			must(t, err)
			if must(t, resp.Body.Close()); refused != (resp.StatusCode == http.StatusMisdirectedRequest) {
				t.Errorf("%s under the name %s: %d", path, host, resp.StatusCode)
			}
		}
	}
	_, text := ask(t, over(socket), http.MethodGet, "http://localhost/api/v1/whoowns?namespace=shop", "")
	var who app.WhoOwns
	must(t, json.Unmarshal([]byte(text), &who))
	if strings.Contains(text, "null") {
		t.Errorf("an empty list is null: %s", text)
	}
	if !slices.Equal(who.Emails, []string{"ada@example.com"}) || !who.Platform || len(who.Chain) != 2 || len(who.Chain[0].Malformed) != 1 || !who.Chain[0].Taken || !strings.Contains(who.From, "shop") {
		t.Errorf("%+v", who)
	}
}

// Whom mail may not reach is nobody's owner: whoowns says who would be told in truth.
func TestWhoOwnsLeavesOutWhomMailMayNotReach(t *testing.T) {
	c := newCluster(t)
	s, seen := settings(t, c.URL)
	s.Config.Notify.Email = config.Email{Host: "127.0.0.1", Port: 1, TLS: "none", From: "k8guard@elsewhere.example", Domains: []string{"elsewhere.example"}}
	s.Config.Owners.Fallback = []string{"platform@elsewhere.example"}
	in := run(t, s, seen)
	defer func() { must(t, in.stop()) }()
	_, text := ask(t, over(app.Socket(s.Config)), http.MethodGet, "http://localhost/api/v1/whoowns?namespace=shop", "")
	var who app.WhoOwns
	must(t, json.Unmarshal([]byte(text), &who))
	if !slices.Equal(who.Emails, []string{"platform@elsewhere.example"}) {
		t.Errorf("%s", text)
	}
}
