package app_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/app"
	"github.com/k8guard/k8guard/internal/config"
)

// The secrets of a running K8Guard, in its configuration and in its kubeconfig, are in no
// page, answer, metric, log line or error that it gives.
func TestSecretsStayInside(t *testing.T) {
	const secret = "hunter2-marker"
	c := newCluster(t)
	s, seen := settings(t, c.URL)
	kubeconfig, err := os.ReadFile(s.Config.Cluster.Kubeconfig)
	must(t, err)
	kubeconfig = bytes.Replace(kubeconfig, []byte(`"user": {}`), []byte(`"user": {"token": "`+secret+`-token"}`), 1)
	must(t, os.WriteFile(s.Config.Cluster.Kubeconfig, kubeconfig, 0o600))
	s.Config.Notify.Email = config.Default().Notify.Email
	s.Config.Notify.Email.Host, s.Config.Notify.Email.From = "127.0.0.1", "k8guard@example.com"
	s.Config.Notify.Email.Domains = []string{"example.com"}
	s.Config.Notify.Email.Username, s.Config.Notify.Email.Password = "k8guard", config.NewSecret(secret)
	s.Config.Notify.Slack = config.Slack{Channel: "C0123ABCD", Token: config.NewSecret("xoxb-" + secret), BaseURL: "http://127.0.0.1:1"}
	s.Config.Notify.HipChat = config.HipChat{BaseURL: "http://127.0.0.1:1", Room: "r", Token: config.NewSecret(secret)}
	s.Config.Notify.Webhook = []config.Webhook{{Name: "a", URL: config.NewSecret("http://127.0.0.1:1/" + secret), Key: config.NewSecret(secret + secret)}}
	s.Config.Notify.Alertmanager = config.Alertmanager{URL: "http://127.0.0.1:1", Token: config.NewSecret(secret)}
	s.Config.Notify.Gather = time.Millisecond
	log, asked, loads := &record{}, make(chan os.Signal, 1), 0
	seen.Handler = slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})
	s.Reload = &app.Reload{Every: time.Hour, Asked: asked, Load: func() (config.Config, error) {
		loads++
		next := s.Config
		if loads == 1 {
			next.Notify.Email.CAFile = "/nowhere" // refused, with a reason
		}
		next.Cluster.Name = "renamed"
		return next, nil
	}}
	in := run(t, s, seen)
	socket := over(app.Socket(s.Config))
	walk := func() (all string) {
		for _, path := range []string{"/", "/cases", "/config", "/metrics", "/healthz", "/readyz", "/nope", "/api/v1/overview", "/api/v1/status",
			"/api/v1/cases", "/api/v1/history", "/api/v1/whoowns?namespace=shop", "/api/v1/whoowns?namespace=none"} {
			_, text := ask(t, socket, http.MethodGet, "http://localhost"+path, "")
			all += text
		}
		_, first := ask(t, http.DefaultClient, http.MethodGet, in.url+"/config", "") // the first system's, as JSON
		if !strings.Contains(first, `"password":"***"`) {
			t.Errorf("/config says %s", first)
		}
		return all + first
	}
	all := walk()
	for range 2 {
		asked <- syscall.SIGHUP
	}
	for end := time.Now().Add(patience); !strings.Contains(log.String(), "is in force"); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the second configuration was not taken over")
		}
	}
	all += walk()
	must(t, in.stop())
	all += log.String()
	if strings.Contains(all, secret) {
		t.Error("a secret got out:\n" + all[max(0, strings.Index(all, secret)-300):])
	}
	if !strings.Contains(all, `password: "***"`) && !strings.Contains(all, "password: '***'") {
		t.Error("/config does not show that a password is set")
	}
}
