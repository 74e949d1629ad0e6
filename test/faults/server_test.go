package faults

import (
	"context"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/config"
)

// readyz is what K8Guard answers there, whatever the status.
func (h *house) readyz() string {
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", filepath.Join(h.Config.Data.Dir, "k8guard.sock"))
	}}}
	r, err := client.Get("http://localhost/readyz")
	if err != nil {
		return err.Error()
	}
	defer func() { _ = r.Body.Close() }()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return err.Error()
	}
	return r.Status + ": " + strings.TrimSpace(string(text))
}

// serverDown: no API server at the start, then none while an act is due. K8Guard waits and
// says so, does nothing meanwhile, and goes on.
func serverDown(t *testing.T, p plane) {
	h := newHouse(t, p, "server-down", func(c *config.Config) { c.Policies[0].Ladder.LastWait = 4 * time.Second })
	if err := p.Cluster.StopAPIServer(); err != nil {
		t.Fatal(err)
	}
	h.begin()
	said := h.log(20*time.Second, "the API server does not answer")
	ready := h.readyz()
	h.up()
	if err := h.WaitReady(t.Context(), h.run); err != nil {
		t.Fatal(err)
	}
	h.golden("server-down-at-start", "log: "+said, "readyz: "+ready)
	h.apply(privileged(h.ns, "web"))
	h.until(20*time.Second, "two warnings are confirmed", func() bool { return h.confirmed() == warnings })
	if err := p.Cluster.StopAPIServer(); err != nil {
		t.Fatal(err)
	}
	said = h.log(20*time.Second, "a kind cannot be read")
	plan := h.planned(20*time.Second, "web", "not sighted")
	h.until(10*time.Second, "readyz says that deployments are missing", func() bool { return strings.Contains(h.readyz(), "Deployment ") })
	h.up()
	h.until(30*time.Second, "it is ready again", func() bool { return strings.HasPrefix(h.readyz(), "200") })
	h.golden("server-down-mid-run", "plan: "+plan)
	if !strings.Contains(said, "it is tried again") {
		t.Errorf("the log says %s", said)
	}
	h.acted(60*time.Second, acted)
}

func (h *house) up() {
	h.t.Helper()
	if err := h.p.Cluster.StartAPIServer(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
}

// blind: discover's line to the API server is cut, action's is not. What was not sighted is
// not acted on, though it could be.
func blind(t *testing.T, p plane) {
	l := newLine(t, p.Cluster.URL())
	h := newHouse(t, p, "blind", func(c *config.Config) { c.Policies[0].Ladder.LastWait = 6 * time.Second })
	h.rewrite(func(c *config.Config) {
		c.Cluster.Kubeconfig = h.through(p.Kubeconfig("k8guard-discover"), l.url(), nil)
	})
	h.start()
	h.apply(privileged(h.ns, "web"))
	h.until(20*time.Second, "two warnings are confirmed", func() bool { return h.confirmed() == warnings })
	l.cut()
	plan := h.planned(20*time.Second, "web", "not sighted")
	ready := ""
	h.until(10*time.Second, "readyz says that deployments are missing", func() bool {
		ready = h.readyz()
		return strings.Contains(ready, "Deployment ")
	})
	for one := range strings.Lines(ready) {
		if strings.Contains(one, "Deployment ") {
			ready = strings.TrimSpace(one)
		}
	}
	time.Sleep(4 * time.Second) // past the time of the act
	h.wantActs()
	h.golden("blind", "readyz: "+ready, "plan: "+plan)
	l.mend()
	h.acted(60*time.Second, acted)
}
