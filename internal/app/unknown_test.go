package app_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/app"
	"github.com/k8guard/k8guard/internal/config"
)

// knows is an API server that knows one token.
type knows struct {
	http.Handler
	token string
}

func (k knows) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Bearer "+k.token {
		status(w, http.StatusUnauthorized, "Unauthorized")
		return
	}
	k.Handler.ServeHTTP(w, r)
}

// A token that ended is called that, not a server that is away; a new one counts once it is
// asked to be read, also while the start still waits.
func TestATokenThatEndedIsMadeAnew(t *testing.T) {
	server := httptest.NewTLSServer(knows{newCluster(t), "new"}) // in clear no token is sent
	t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	s, seen := settings(t, server.URL)
	login := func(token string) {
		text, err := os.ReadFile(account(t, server.URL, `{"token": "`+token+`"}`))
		must(t, err)
		text = bytes.Replace(text, []byte(`"server":`), []byte(`"insecure-skip-tls-verify": true, "server":`), 1)
		must(t, os.WriteFile(s.Config.Cluster.Kubeconfig, text, 0o600))
	}
	login("old")
	log := &record{}
	seen.Handler = slogTo(log)
	s.Log = slog.New(seen)
	asked := make(chan os.Signal, 1)
	s.Reload = &app.Reload{Load: func() (config.Config, error) { return s.Config, nil }, Every: time.Hour, Asked: asked}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- app.Run(ctx, s) }()
	for end := time.Now().Add(patience); !strings.Contains(log.String(), "trying again"); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("nothing is said:\n%s", log)
		}
	}
	if said := log.String(); !strings.Contains(said, "does not know K8Guard's token or certificate (401)") || !strings.Contains(said, "then send K8Guard SIGHUP") ||
		strings.Contains(said, "grant") || strings.Contains(said, "does not answer") {
		t.Error(said)
	}
	login("new")
	asked <- syscall.SIGHUP
	select {
	case <-seen.address:
	case <-time.After(patience):
		t.Errorf("the new token is not taken:\n%s", log)
	}
	cancel()
	must(t, <-ended)
}
