package cassandra_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	gocql "github.com/apache/cassandra-gocql-driver/v2"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger/cassandra"
	"github.com/k8guard/k8guard/tools/services"
	"github.com/k8guard/k8guard/tools/services/servicestest"
)

// schemaRace lets many replicas start on nothing at once.
func schemaRace(t *testing.T, s *services.Service) { race(t, s, "race", 1) }

// TestRaceOnTwoNodes is a race on nodes that learn of each other's tables a moment later.
func TestRaceOnTwoNodes(t *testing.T) {
	s := servicestest.StartWith(t, services.Cassandra, services.Options{Nodes: 2})
	for i := range 3 {
		race(t, s, fmt.Sprint("race_", i), 2)
	}
}

func race(t *testing.T, s *services.Service, keyspace string, copies int) {
	t.Helper()
	const replicas = 6
	var group sync.WaitGroup
	all := make([]*cassandra.Store, replicas)
	began := time.Now()
	for i := range replicas {
		conf := settings(t, s, keyspace)
		conf.Replication = copies
		group.Go(func() {
			l, err := cassandra.Open(t.Context(), conf)
			if err != nil {
				t.Error(err)
				return
			}
			all[i] = l
		})
	}
	group.Wait()
	t.Logf("%d replicas have a ledger on %d copies after %s", replicas, copies, time.Since(began).Round(time.Millisecond))
	if t.Failed() {
		return
	}
	tables := map[string]bool{}
	rows := session(t, s, "").Query("SELECT table_name, id FROM system_schema.tables WHERE keyspace_name = ?", keyspace).Iter()
	for name, id := "", (gocql.UUID{}); rows.Scan(&name, &id); {
		if tables[name] = true; id.Version() != 5 {
			t.Errorf("table %s has ID %s: two replicas would make two", name, id)
		}
	}
	if err := rows.Close(); err != nil || len(tables) != 6 {
		t.Errorf("tables %v, %v", tables, err)
	}
	for i, l := range all {
		d := sample(number(i), docket.Open)
		store(t, l, &d)
		for _, other := range all {
			if got, err := other.Load(t.Context(), d.Key); err != nil || got.Version != 1 || other.ID() != l.ID() {
				t.Errorf("%s: version %d of ledger %s, %v; want 1 of %s", d.Key, got.Version, other.ID(), err, l.ID())
			}
		}
	}
	for _, l := range all {
		_ = l.Close()
	}
}

// schemaLostAnswer holds a step without knowing it: nobody may wait out the minute of that.
func schemaLostAnswer(t *testing.T, s *services.Service) {
	conf := settings(t, s, "lost_answer")
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := cassandra.OpenAfterLostAnswer(ctx, conf); err != nil {
		t.Fatal(err)
	}
	d := sample("a", docket.Open)
	store(t, open(t, conf), &d)
}

// schemaByHand makes the tables from what the command prints.
func schemaByHand(t *testing.T, s *services.Service) {
	conf := settings(t, s, "by_hand")
	conf.CreateSchema = false
	mends(t, conf, "k8guard ledger schema")
	on := session(t, s, "")
	exec(t, on, "CREATE KEYSPACE bare WITH replication = {'class': 'NetworkTopologyStrategy', 'datacenter1': 1}")
	bare := conf
	bare.Keyspace = "bare"
	mends(t, bare, `keyspace "bare" has no tables of K8Guard`)
	for range 2 {
		for statement := range strings.SplitSeq(cassandra.Schema(conf), ";\n") {
			if strings.TrimSpace(statement) != "" {
				exec(t, on, statement)
			}
		}
		l := open(t, conf)
		if d, err := l.Load(t.Context(), sample("a", docket.Open).Key); err != nil || d.Version != 0 {
			t.Fatal(d, err)
		}
	}
	for _, format := range []struct {
		at   int
		want string
	}{{0, "k8guard ledger schema"}, {99, "a newer K8Guard"}} {
		exec(t, on, "UPDATE by_hand.schema_state SET version = ? WHERE id = 'ledger'", format.at)
		mends(t, conf, format.want)
	}
	conf.CreateSchema = true
	mends(t, conf, "a newer K8Guard")
	exec(t, on, "UPDATE by_hand.schema_state SET version = null WHERE id = 'ledger'")
	mends(t, conf, "its version is not written")
	exec(t, on, "UPDATE by_hand.schema_state SET version = 1 WHERE id = 'ledger'")
	exec(t, on, "DROP TABLE by_hand.records")
	l := open(t, conf)
	if _, err := l.Get(t.Context(), "x"); err == nil || cassandra.Away(err) {
		t.Errorf("a table that was dropped is waited for: %v", err)
	}
}

// wrong wants an error that says what to look at.
func wrong(t *testing.T, s *services.Service) {
	conf := settings(t, s, "contract")
	conf.LocalDC = "elsewhere"
	refused(t, conf, `no data center "elsewhere"; write one of datacenter1`)
	conf = settings(t, s, "contract")
	conf.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	refused(t, conf, "ledger.cassandra.tls")
	conf = settings(t, s, "contract")
	conf.Hosts = []string{"127.0.0.1:1"}
	refused(t, conf, "127.0.0.1:1")
}

// mends wants an error that a person has to mend: nothing waits for it.
func mends(t *testing.T, conf cassandra.Settings, want string) {
	t.Helper()
	refused(t, conf, want)
	if l, err := cassandra.Open(t.Context(), conf); err == nil || cassandra.Away(err) {
		t.Errorf("it is waited for: %v, %v", l, err)
	}
}

func refused(t *testing.T, conf cassandra.Settings, want string) {
	t.Helper()
	l, err := cassandra.Open(t.Context(), conf)
	if err == nil {
		_ = l.Close()
	}
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want an error with %q", err, want)
	}
}

func TestSecured(t *testing.T) {
	s := servicesSecured(t)
	conf := settings(t, s, "secured")
	var err error
	if conf.TLS, err = s.Access().TLS(); err != nil {
		t.Fatal(err)
	}
	password := s.Access().Password
	conf.Username, conf.Password = services.Admin, func() (string, error) { return password, nil }
	d := sample("a", docket.Open)
	store(t, open(t, conf), &d)
	plain := conf
	plain.TLS = nil
	refused(t, plain, "no session")
	nobody := conf
	nobody.Password = nil
	refused(t, nobody, "ledger.cassandra.username")
	guest := conf
	guest.Username, guest.CreateSchema = services.Guest, false
	refused(t, guest, "no tables of K8Guard")
	password = "wrong"
	refused(t, conf, `refuses user "`+services.Admin+`"`)
}
