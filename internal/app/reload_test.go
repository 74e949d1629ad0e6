package app_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/app"
	"github.com/k8guard/k8guard/internal/config"
)

// reloading is an instance that reads its configuration from a file, with what the file
// leaves out taken from base.
type reloading struct {
	*instance
	file  string
	asked chan os.Signal
	log   *record
}

// record is a log that is kept.
type record struct {
	mu   sync.Mutex
	text strings.Builder
}

func (r *record) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(p)
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

func runReloading(t *testing.T, server, first string) *reloading {
	t.Helper()
	s, seen := settings(t, server)
	r := &reloading{file: filepath.Join(t.TempDir(), "k8guard.yaml"), asked: make(chan os.Signal, 1), log: &record{}}
	seen.Handler = slogTo(r.log)
	base := s.Config
	load := func() (config.Config, error) {
		c, _, err := config.Load(config.Source{File: r.file, Rules: []string{"PRIVILEGED"}})
		c.Cluster.Kubeconfig, c.Data, c.Report.Listen, c.Discover.Resync = base.Cluster.Kubeconfig, base.Data, base.Report.Listen, base.Discover.Resync
		return c, err
	}
	r.write(t, first)
	var err error
	s.Config, err = load()
	must(t, err)
	s.Reload = &app.Reload{File: r.file, Load: load, Every: 20 * time.Millisecond, Retry: 100 * time.Millisecond, Asked: r.asked}
	r.instance = run(t, s, seen)
	t.Cleanup(func() { must(t, r.stop()) })
	return r
}

func (r *reloading) write(t *testing.T, text string) {
	t.Helper()
	must(t, os.WriteFile(r.file, []byte(text), 0o600))
}

// status waits until the page of machines says it.
func (r *reloading) until(t *testing.T, path, says string) {
	t.Helper()
	var text string
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if _, text = ask(t, http.DefaultClient, http.MethodGet, r.url+path, ""); strings.Contains(text, says) {
			return
		}
	}
	t.Fatalf("%s never said %q; log:\n%s", path, says, r.log.String())
}

func TestReload(t *testing.T) {
	c := newCluster(t)
	r := runReloading(t, c.URL, "enforce: {mode: safe}\n")
	r.until(t, "/metrics", "k8guard_config_last_reload_success_timestamp_seconds 1.")

	// A wrong file is said once, with its line and key; the last good one stays.
	r.write(t, "enforce: {mode: safe}\npolicies:\n  - policy: x\n")
	r.until(t, "/metrics", "k8guard_config_reload_failed 1")
	time.Sleep(200 * time.Millisecond)
	if n := strings.Count(r.log.String(), "was not taken over"); n != 1 || !strings.Contains(r.log.String(), "k8guard.yaml:3") || !strings.Contains(r.log.String(), "policy") {
		t.Errorf("said %d times:\n%s", n, r.log.String())
	}
	r.until(t, "/", "The newest configuration was not taken over")
	r.until(t, "/api/v1/status", "k8guard.yaml:3")
	r.until(t, "/readyz", "ok\nthe newest configuration")
	r.write(t, "")
	for end := time.Now().Add(patience); !strings.Contains(r.log.String(), "it is empty"); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("an empty file was not refused")
		}
	}
	r.until(t, "/api/v1/status", `"mode":"safe"`)

	// A good one is taken over; the addresses stay, and what was frozen stays frozen.
	if code, text := post(t, r.url+"/api/v1/freeze", `{"scope":"global","by":"ada","reason":"x"}`); code != http.StatusOK {
		t.Fatalf("%d %s", code, text)
	}
	r.write(t, "enforce: {mode: dry-run}\nreport: {listen: '127.0.0.1:1'}\n")
	r.until(t, "/api/v1/status", `"mode":"dry-run"`)
	r.until(t, "/api/v1/status", `"scope":"global"`)
	r.until(t, "/metrics", "k8guard_config_reload_failed 0")
	if _, text := ask(t, http.DefaultClient, http.MethodGet, r.url+"/api/v1/status", ""); strings.Contains(text, "configRefused") {
		t.Errorf("refused still: %s", text)
	}
	r.until(t, "/readyz", "ok\n")

	// As asked, at once, also what was written in one piece a moment ago.
	r.write(t, "enforce: {mode: safe}\n")
	r.asked <- syscall.SIGHUP
	r.until(t, "/api/v1/status", `"mode":"safe"`)
	if n := strings.Count(r.log.String(), "the new configuration is in force"); n != 2 {
		t.Errorf("%d instances followed:\n%s", n, r.log.String())
	}
}

// An API server that is away when a configuration comes does not take the old one with it.
func TestReloadWithoutItsCluster(t *testing.T) {
	c := newCluster(t)
	r := runReloading(t, c.URL, "enforce: {mode: safe}\n")
	r.until(t, "/readyz", "ok")
	c.refuse(true)
	r.write(t, "enforce: {mode: safe}\nrules: {disabled: [PRIVILEGED]}\n")
	// It waits for its API server, and the old one goes on meanwhile.
	for end := time.Now().Add(time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if _, text := ask(t, http.DefaultClient, http.MethodGet, r.url+"/api/v1/status", ""); !strings.Contains(text, `"mode":"safe"`) {
			t.Fatalf("the old one does not answer: %s", text)
		}
	}
	if strings.Contains(r.log.String(), "is in force") {
		t.Fatal("the new one is in force without a cluster")
	}
	c.refuse(false)
	for end := time.Now().Add(patience); !strings.Contains(r.log.String(), "the new configuration is in force"); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("it was not taken over; log:\n%s", r.log.String())
		}
	}
}
