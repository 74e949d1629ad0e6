package cassandra_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/ledger/cassandra"
	"github.com/k8guard/k8guard/tools/services"
	"github.com/k8guard/k8guard/tools/services/servicestest"
)

const patience = 60 * time.Second

// settings of a keyspace of the test's own on a server.
func settings(t testing.TB, s *services.Service, keyspace string) cassandra.Settings {
	t.Helper()
	return cassandra.Settings{Hosts: s.Addresses(), Keyspace: keyspace, LocalDC: "datacenter1", Replication: 1, Timeout: 10 * time.Second,
		CreateSchema: true, Retention: 90 * 24 * time.Hour, Now: time.Now,
		Log: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))}
}

// opener gives each dir a keyspace.
type opener struct {
	server    *services.Service
	mu        sync.Mutex
	keyspaces map[string]string
}

func (o *opener) keyspace(dir string) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.keyspaces == nil {
		o.keyspaces = map[string]string{}
	}
	if o.keyspaces[dir] == "" {
		o.keyspaces[dir] = fmt.Sprint("k", len(o.keyspaces))
	}
	return o.keyspaces[dir]
}

// report opens a ledger with its mirror, and runs it until it is closed.
func (o *opener) report(t testing.TB, dir string) *running {
	t.Helper()
	return run(t, settings(t, o.server, o.keyspace(dir)), filepath.Join(dir, "mirror.db"))
}

// running is a ledger whose mirror is kept up to date.
type running struct {
	*cassandra.Ledger
	stop func()
}

func run(t testing.TB, s cassandra.Settings, file string) *running {
	t.Helper()
	l, err := cassandra.OpenReport(t.Context(), s, file)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var group sync.WaitGroup
	group.Go(func() {
		if err := l.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	r := &running{l, sync.OnceFunc(func() { cancel(); group.Wait() })}
	t.Cleanup(r.stop)
	eventually(t, func() error { return l.Ping(t.Context()) })
	return r
}

func (r *running) Close() error { r.stop(); return r.Ledger.Close() }

var _ ledger.Ledger = (*running)(nil)

// eventually asks until there is no error.
func eventually(t testing.TB, ask func() error) {
	t.Helper()
	end := time.Now().Add(patience)
	for {
		err := ask()
		if err == nil {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("still after %v: %v", patience, err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func server(t testing.TB) *services.Service { return servicestest.Start(t, services.Cassandra) }

// lines is a log that a test can search.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) has(text string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Contains(l.text.String(), text)
}

// count is a number that goroutines share.
type count struct{ atomic.Int64 }
