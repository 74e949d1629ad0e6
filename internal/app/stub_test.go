package app_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/k8guard/k8guard/internal/app"
	"github.com/k8guard/k8guard/internal/config"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// cluster is an API server with two namespaces, as far as a start needs one.
type cluster struct {
	*httptest.Server
	mu     sync.Mutex
	denied map[string]bool // resources that may not be listed
	away   bool            // it answers nothing but errors
}

// refuse makes the API server answer nothing but errors, or lets it answer again.
func (c *cluster) refuse(away bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.away = away
}

func newCluster(t testing.TB) *cluster {
	t.Helper()
	c := &cluster{denied: map[string]bool{}}
	c.Server = httptest.NewServer(c)
	t.Cleanup(func() {
		c.CloseClientConnections()
		c.Close()
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	})
	return c
}

func namespace(name string) map[string]any {
	return map[string]any{"kind": "Namespace", "apiVersion": "v1", "metadata": map[string]any{"name": name, "uid": name[:4],
		"resourceVersion": "1", "annotations": map[string]string{"team/email-ids": "ada@example.com, not an address"}}}
}

func kinds() map[string]string {
	return map[string]string{"namespaces": "NamespaceList", "pods": "PodList", "nodes": "NodeList", "horizontalpodautoscalers": "HorizontalPodAutoscalerList", "deployments": "DeploymentList",
		"replicasets": "ReplicaSetList", "ingresses": "IngressList", "statefulsets": "StatefulSetList",
		"daemonsets": "DaemonSetList", "jobs": "JobList", "cronjobs": "CronJobList"}
}

func (c *cluster) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if c.reviews(w, r) {
		return
	}
	name := path.Base(r.URL.Path)
	list, listed := kinds()[name]
	c.mu.Lock()
	denied, away := c.denied[name], c.away
	c.mu.Unlock()
	switch {
	case away:
		status(w, http.StatusServiceUnavailable, "ServiceUnavailable")
	case denied:
		status(w, http.StatusForbidden, "Forbidden")
	case r.URL.Query().Get("sendInitialEvents") != "":
		status(w, http.StatusUnprocessableEntity, "Invalid") // an old server: list first
	case r.URL.Query().Get("watch") != "":
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	case listed:
		group := strings.TrimPrefix(strings.TrimPrefix(path.Dir(r.URL.Path), "/apis/"), "/api/")
		items := []any{}
		if name == "namespaces" {
			items = []any{namespace("kube-system"), namespace("shop")}
		}
		send(w, http.StatusOK, map[string]any{"kind": list, "apiVersion": group, "metadata": map[string]string{"resourceVersion": "1"}, "items": items})
	case name == "kube-system" || name == "shop":
		send(w, http.StatusOK, namespace(name))
	default:
		status(w, http.StatusNotFound, "NotFound")
	}
}

func status(w http.ResponseWriter, code int, reason string) {
	send(w, code, map[string]any{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "message": reason, "code": code})
}

func send(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body)
}

// settings are those of somebody who wrote next to nothing; the folder's name is short,
// for the socket lies in it.
func settings(t testing.TB, server string) (app.Settings, *lines) {
	t.Helper()
	dir, err := os.MkdirTemp("", "k8g") //nolint:usetesting // t.TempDir holds the test's name: too long for a socket
	must(t, err)
	t.Cleanup(func() { must(t, os.RemoveAll(dir)) })
	kubeconfig := filepath.Join(dir, "kubeconfig")
	must(t, os.WriteFile(kubeconfig, fmt.Appendf(nil, `{"apiVersion": "v1", "kind": "Config", "current-context": "x",
		"clusters": [{"name": "x", "cluster": {"server": %q}}], "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
		"users": [{"name": "x", "user": {}}]}`, server), 0o600))
	c := config.Default()
	c.Cluster.Kubeconfig, c.Data.Dir, c.Report.Listen = kubeconfig, filepath.Join(dir, "data"), "127.0.0.1:0"
	c.Discover.Resync = 2 * time.Second
	seen := &lines{Handler: slog.NewTextHandler(t.Output(), nil), address: make(chan string, 1), retries: make(chan struct{}, 100)}
	return app.Settings{Config: c, Version: "test", Commit: "test", Log: slog.New(seen), Now: time.Now}, seen
}

// lines is a log that hears where an instance listens, and that it waits for the cluster.
type lines struct {
	slog.Handler
	address chan string
	retries chan struct{}
}

func (l *lines) Handle(ctx context.Context, r slog.Record) error {
	if r.Message == "K8Guard runs" {
		r.Attrs(func(a slog.Attr) bool {
			if a.Key == "report" {
				l.address <- a.Value.String()
			}
			return true
		})
	}
	if strings.Contains(r.Message, "does not answer") {
		l.retries <- struct{}{}
	}
	return l.Handler.Handle(ctx, r)
}

// over returns a client that dials the socket, or the address of the URL if it is empty.
func over(socket string) *http.Client {
	tr := &http.Transport{DisableKeepAlives: true}
	if socket != "" {
		tr.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", socket)
		}
	}
	return &http.Client{Transport: tr, Timeout: 20 * time.Second}
}
