package app_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/app"
	"github.com/k8guard/k8guard/internal/config"
)

func slogTo(w io.Writer) slog.Handler { return slog.NewTextHandler(w, nil) }

// serve runs a target until the test ends, and returns its address.
func serve(t *testing.T, target func(context.Context, app.Settings) error, s app.Settings, seen *lines) string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- target(ctx, s) }()
	t.Cleanup(func() { cancel(); must(t, <-ended) })
	select {
	case url := <-seen.address:
		return url
	case err := <-ended:
		t.Fatalf("it did not start: %v", err)
	case <-time.After(patience):
		t.Fatal("it did not start in time")
	}
	return ""
}

func TestDiscoverAlone(t *testing.T) {
	c := newCluster(t)
	s, seen := settings(t, c.URL)
	s.Config.Data.Dir = "/nowhere" // it keeps nothing
	url := serve(t, app.Discover, s, seen)
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		if code, text := ask(t, http.DefaultClient, http.MethodGet, url+"/readyz", ""); code == http.StatusOK {
			break
		} else if time.Now().After(end) {
			t.Fatalf("never ready: %s", text)
		}
	}
	for path, want := range map[string]string{"/healthz": "ok", "/metrics": "k8guard_build_info", "/deploys": "[]", "/namespaces": "[", "/version": `"build"`, "/config": `"discover":{`} {
		if code, text := ask(t, http.DefaultClient, http.MethodGet, url+path, ""); code != http.StatusOK || !strings.Contains(text, want) {
			t.Errorf("%s: %d %s", path, code, text)
		}
	}
}

// freeAddress is where nobody listens; the port is held beside it, so that nobody is given it.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { _ = l.Close() })
	return strings.Replace(l.Addr().String(), "127.0.0.1", "127.0.0.9", 1)
}

// A target that waits for a server is alive, and says what it waits for.
func TestATargetIsAliveWhileItWaitsForAServer(t *testing.T) {
	own, away := freeAddress(t), freeAddress(t)
	for name, target := range map[string]func(context.Context, app.Settings) error{"discover": app.Discover, "action": app.Action, "report": app.Report} {
		t.Run(name, func(t *testing.T) {
			s, seen := settings(t, "https://"+away)
			c := &s.Config
			c.Bus.Kind, c.Bus.Kafka.Brokers = config.BusKafka, []string{away}
			c.Ledger.Kind, c.Ledger.Cassandra.Hosts, c.Ledger.Cassandra.LocalDC = config.LedgerCassandra, []string{away}, "datacenter1"
			c.Cluster.Name = "here"
			c.Report.Listen = own
			log := &record{}
			s.Log = slog.New(&lines{Handler: slogTo(log), address: seen.address, retries: seen.retries})
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- target(ctx, s) }()
			for end := time.Now().Add(patience); !strings.Contains(log.String(), "trying again"); time.Sleep(10 * time.Millisecond) {
				if time.Now().After(end) {
					t.Fatalf("it says nothing: %s", log)
				}
			}
			if code, text := ask(t, http.DefaultClient, http.MethodGet, "http://"+own+"/healthz", ""); code != http.StatusOK {
				t.Errorf("/healthz: %d %s", code, text)
			}
			if code, text := ask(t, http.DefaultClient, http.MethodGet, "http://"+own+"/readyz", ""); code != http.StatusServiceUnavailable || !strings.Contains(text, "does not answer") {
				t.Errorf("/readyz: %d %s", code, text)
			}
			cancel()
			must(t, <-ended)
		})
	}
}

func TestReportAlone(t *testing.T) {
	c := newCluster(t)
	s, seen := settings(t, c.URL)
	if err := app.Report(t.Context(), s); err == nil || !strings.Contains(err.Error(), "name the data.dir of a K8Guard that has run") {
		t.Errorf("without a ledger: %v", err)
	}
	in := run(t, s, seen)
	defer func() { must(t, in.stop()) }()
	if code, text := post(t, in.url+"/api/v1/freeze", `{"scope":"global","by":"ada","reason":"x"}`); code != http.StatusOK {
		t.Fatalf("%d %s", code, text)
	}
	beside := s
	beside.Config.Cluster.Kubeconfig = filepath.Join(t.TempDir(), "none") // it reads no cluster
	log := &record{}
	other := &lines{Handler: slogTo(log), address: make(chan string, 1), retries: seen.retries}
	beside.Log = slog.New(other)
	url := serve(t, app.Report, beside, other)
	for end := time.Now().Add(patience); !strings.Contains(log.String(), "K8Guard runs"); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it does not log that it runs")
		}
	}
	if strings.Contains(log.String(), `cluster=""`) {
		t.Errorf("a name that is not known is logged: %s", log)
	}
	for path, want := range map[string]string{"/": "<html", "/cases": "<html", "/readyz": "ok", "/api/v1/status": `"scope":"global"`} {
		if code, text := ask(t, http.DefaultClient, http.MethodGet, url+path, ""); code != http.StatusOK || !strings.Contains(text, want) {
			t.Errorf("%s: %d %s", path, code, text)
		}
	}
	if code, text := post(t, url+"/api/v1/unfreeze", `{"scope":"global","by":"ada","reason":"x"}`); code < 400 || !strings.Contains(text, "only reads") {
		t.Errorf("unfreeze: %d %s", code, text)
	}
}
