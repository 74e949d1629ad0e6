package cli

import (
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// A wrong -o is refused before anything is asked of the running K8Guard.
func TestAWrongOutputActsOnNothing(t *testing.T) {
	var asked atomic.Int32
	socket := running(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			asked.Add(1)
		}
		_, _ = w.Write([]byte(`{"result": "done"}`))
	})
	for _, command := range []string{"undo c-1", "ack c-1", "freeze", "unfreeze", "breaker close"} {
		args := append(strings.Fields(command), "--reason", "x", "--set", "report.socket="+socket, "-o")
		before := asked.Load()
		if _, _, err := with(t, nil, append(args, "yaml")...); Code(err) != 2 || !strings.Contains(Message(err), "-o json") || asked.Load() != before {
			t.Errorf("%s -o yaml: %v, asked %d times", command, err, asked.Load()-before)
		}
		if out, _, err := with(t, nil, append(args, "json")...); err != nil || out != "{\"result\":\"done\"}\n" || asked.Load() != before+1 {
			t.Errorf("%s -o json: %q, %v", command, out, err)
		}
	}
}

// Of several clusters one is named.
func TestTheBreakerOfAClusterIsClosedByItsName(t *testing.T) {
	var asked atomic.Value
	socket := running(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		asked.Store(r.URL.Path + " " + string(body))
		_, _ = w.Write([]byte(`{"result": "done"}`))
	})
	_, _, err := with(t, nil, "breaker", "close", "--accept-ledger", "--reason", "x", "--by", "ada", "--set", "report.socket="+socket)
	if got := asked.Load(); err != nil || got != `/api/v1/breaker/close {"acceptLedger":true,"by":"ada","reason":"x"}` {
		t.Errorf("asked %v, %v", got, err)
	}
	_, _, err = with(t, nil, "breaker", "close", "--cluster", "east", "--by", "ada", "--reason", "x", "--set", "report.socket="+socket)
	if got := asked.Load(); err != nil || got != `/api/v1/breaker/close {"by":"ada","reason":"x","scope":"cluster/east"}` {
		t.Errorf("asked %v, %v", got, err)
	}
}

// running serves a socket as a running K8Guard does, and returns its path.
func running(t *testing.T, serve http.HandlerFunc) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "k8g") //nolint:usetesting // short enough for a socket's path
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	socket := filepath.Join(dir, "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: serve}
	go func() { _ = srv.Serve(l) }()
	t.Cleanup(func() { _ = srv.Close() })
	return socket
}
