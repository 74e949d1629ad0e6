package app

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/bus/memory"
	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/enforce"
	"github.com/k8guard/k8guard/internal/ledger/sqlite"
)

// far is an API server that knows its identity, and who asks.
type far struct {
	uid     string
	account atomic.Value
}

func (f *far) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	var body any
	switch path.Base(r.URL.Path) {
	case "kube-system":
		body = map[string]any{"kind": "Namespace", "apiVersion": "v1", "metadata": map[string]string{"name": "kube-system", "uid": f.uid}}
	case "selfsubjectreviews":
		body = map[string]any{"kind": "SelfSubjectReview", "apiVersion": "authentication.k8s.io/v1",
			"status": map[string]any{"userInfo": map[string]any{"username": f.account.Load()}}}
	default:
		w.WriteHeader(http.StatusNotFound)
		body = map[string]any{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": http.StatusNotFound}
	}
	_ = json.NewEncoder(w).Encode(body)
}

// kubeconfigOf starts such a server, and returns a kubeconfig of it.
func kubeconfigOf(t *testing.T, f *far) string {
	t.Helper()
	server := httptest.NewServer(f)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	name := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(name, fmt.Appendf(nil, `{"apiVersion": "v1", "kind": "Config", "current-context": "x",
		"clusters": [{"name": "x", "cluster": {"server": %q}}], "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
		"users": [{"name": "x", "user": {}}]}`, server.URL), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// actor is an action for clusters, by their kubeconfigs.
func actor(t *testing.T, mode string, kubeconfigs map[string]string) *instance {
	t.Helper()
	c := config.Default()
	c.Enforce.Mode = mode
	var clusters []v1.Cluster
	for name, path := range kubeconfigs {
		c.Clusters = append(c.Clusters, config.ActingCluster{Name: name, ActionKubeconfig: path})
		clusters = append(clusters, v1.Cluster{Name: name})
	}
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "ledger.db"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	in := &instance{Settings: Settings{Config: c, Now: time.Now, Log: slog.New(slog.NewTextHandler(t.Output(), nil))}, registry: prometheus.NewRegistry(), store: store, holder: "here"}
	if err := in.wireRules(); err != nil {
		t.Fatal(err)
	}
	if err := in.wireAction(memory.New(8, 1), clusters, false); err != nil {
		t.Fatal(err)
	}
	return in
}

// until waits for the reason why nothing is done on a cluster.
func (in *instance) until(t *testing.T, name, says string) {
	t.Helper()
	why := ""
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if _, why = in.action.Mode(name); strings.Contains(why, says) {
			return
		}
	}
	t.Fatalf("%s: %q, want %q", name, why, says)
}

// A preflight that failed is asked again: what it names may be mended meanwhile.
func TestAClusterThatDoesNotAdmitIsAskedAgain(t *testing.T) {
	f := &far{uid: "u"}
	f.account.Store("somebody")
	in := actor(t, config.ModeEnforce, map[string]string{"east": kubeconfigOf(t, f)})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		in.reach(ctx, acting(in.Config)[0], time.Millisecond)
	}()
	in.until(t, "east", "account is somebody")
	f.account.Store(enforce.Account)
	in.until(t, "east", "apply deploy/admission.yaml") // one step further
	cancel()
	<-ended
}

// Two names that lead to one cluster are refused, both.
func TestTwoNamesOfOneClusterAreRefused(t *testing.T) {
	f := &far{uid: "u"}
	in := actor(t, config.ModeSafe, map[string]string{"east": kubeconfigOf(t, f), "west": kubeconfigOf(t, f)})
	for i, c := range acting(in.Config) {
		if err := in.reachOnce(t.Context(), c); (i == 0) != (err == nil) {
			t.Errorf("%s: %v", c.Cluster.Name, err)
		}
	}
	for _, name := range []string{"east", "west"} {
		if _, why := in.action.Mode(name); !strings.Contains(why, "east") || !strings.Contains(why, "west") || !strings.Contains(why, "are one") {
			t.Errorf("%s: %q", name, why)
		}
	}
	if err := in.reachOnce(t.Context(), acting(in.Config)[0]); err == nil {
		t.Error("the first is taken back at the next try")
	}
}
