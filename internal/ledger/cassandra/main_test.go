package cassandra_test

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	gocql "github.com/apache/cassandra-gocql-driver/v2"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/ledger/cassandra"
	"github.com/k8guard/k8guard/tools/services"
	"github.com/k8guard/k8guard/tools/services/servicestest"
)

const (
	patience = 60 * time.Second
	// modelChecks is how many runs of the model are enough: each of some hundred calls to a real server.
	modelChecks = "6"
)

func server(t testing.TB) *services.Service { return servicestest.Start(t, services.Cassandra) }

// settings of a keyspace of the test's own on a server.
func settings(t testing.TB, s *services.Service, keyspace string) cassandra.Settings {
	t.Helper()
	return cassandra.Settings{Hosts: s.Addresses(), Keyspace: keyspace, LocalDC: "datacenter1", Replication: 1, Timeout: 10 * time.Second,
		CreateSchema: true, Retention: 90 * 24 * time.Hour, Now: time.Now, Log: slog.New(slog.DiscardHandler)}
}

// open opens a store of the test's own.
func open(t testing.TB, s cassandra.Settings) *cassandra.Store {
	t.Helper()
	l, err := cassandra.Open(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// opener gives each folder an empty ledger. To make tables takes seconds; they are emptied.
type opener struct {
	settings cassandra.Settings
	last     string
}

func (o *opener) report(t testing.TB, dir string) *running {
	t.Helper()
	if o.last != "" && o.last != dir {
		empty(t, o.settings)
	}
	o.last = dir
	return run(t, o.settings, filepath.Join(dir, "mirror.db"))
}

// empty empties the tables, which it makes if they are not there.
func empty(t testing.TB, s cassandra.Settings) {
	t.Helper()
	if err := open(t, s).Close(); err != nil {
		t.Fatal(err)
	}
	c := gocql.NewCluster(s.Hosts...)
	c.Keyspace, c.Timeout, c.Consistency = s.Keyspace, patience, gocql.One
	on, err := c.CreateSession()
	if err != nil {
		t.Fatal(err)
	}
	defer on.Close()
	for _, table := range []string{"dockets", "records", "open_dockets", "cases", "changes"} {
		exec(t, on, "TRUNCATE "+table)
	}
}

// running is a ledger whose mirror is kept up to date.
type running struct {
	*cassandra.Ledger
	stop func()
}

var _ ledger.Ledger = (*running)(nil)

func run(t testing.TB, s cassandra.Settings, file string) *running {
	t.Helper()
	l, err := cassandra.OpenReport(t.Context(), s, file)
	if err != nil {
		t.Fatal(err)
	}
	r := follow(t, l)
	eventually(t, func() error { return l.Ping(t.Context()) })
	return r
}

// follow begins to keep the mirror of a ledger up to date.
func follow(t testing.TB, l *cassandra.Ledger) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var group sync.WaitGroup
	group.Go(func() { l.Run(ctx) })
	r := &running{l, sync.OnceFunc(func() { cancel(); group.Wait() })}
	t.Cleanup(r.stop)
	return r
}

func (r *running) Close() error { r.stop(); return r.Ledger.Close() }

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

// fewer turns rapid's number of runs down, unless the one who runs the test chose it.
func fewer(t *testing.T) {
	t.Helper()
	f := flag.Lookup("rapid.checks")
	if f.Value.String() != f.DefValue {
		return
	}
	if err := flag.Set("rapid.checks", modelChecks); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = flag.Set("rapid.checks", f.DefValue) })
}

// sample is a docket with one case.
func sample(root string, state docket.State) docket.Docket {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	d := docket.Docket{Key: docket.Key{Cluster: "cluster-uid", Root: root}, Cluster: "prod", ObservedAt: at,
		Root:  v1.Root{Kind: "Deployment", Namespace: "shop", Name: root, UID: root},
		Owner: v1.Owner{Emails: []string{"a@example.com"}, Platform: true}}
	c := docket.Case{Rule: "IMAGE_REPO", Severity: "high", State: state, Source: "app", From: v1.FromTemplate, FirstSeen: at, LastSeen: at, ToldResolved: true}
	c.ID = docket.CaseID(d.Key, c.Rule, c.Source, c.From)
	d.Cases = []docket.Case{c}
	return d
}

func entry(text string) docket.Entry {
	return docket.Entry{At: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), Kind: docket.EntrySeen, Text: text}
}

// store stores a change of the docket, and raises its version.
func store(t testing.TB, l ledger.Dockets, d *docket.Docket, entries ...docket.Entry) {
	t.Helper()
	version, err := l.CompareAndSet(t.Context(), *d, entries)
	if err != nil {
		t.Fatal(err)
	}
	d.Version = version
}

// texts is what a docket's history says.
func texts(t testing.TB, l *cassandra.Store, k docket.Key) (all []string) {
	t.Helper()
	for after := int64(0); ; {
		lines, err := l.History(t.Context(), k, after, 1000)
		if err != nil {
			t.Fatal(err)
		}
		if len(lines) == 0 {
			return all
		}
		for _, line := range lines {
			after, all = line.Seq, append(all, line.Entry.Text)
		}
	}
}

func number(n int) string { return fmt.Sprintf("%06d", n) }
