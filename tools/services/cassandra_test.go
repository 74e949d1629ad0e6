package services_test

import (
	"errors"
	"testing"
	"time"

	gocql "github.com/apache/cassandra-gocql-driver/v2"

	"github.com/k8guard/k8guard/tools/services"
	"github.com/k8guard/k8guard/tools/services/servicestest"
)

func TestCassandraKeepsItsDataOverKill9(t *testing.T) {
	s := servicestest.Start(t, services.Cassandra)
	session := cassandra(t, cluster(t, s))
	makeTable(t, session, 1)
	if !insertOnce(t, session, "first") {
		t.Error("a first conditional insert was not applied")
	}
	if insertOnce(t, session, "second") {
		t.Error("a second one was")
	}
	if err := errors.Join(s.Kill(0), s.Restart(t.Context(), 0)); err != nil {
		t.Fatal(err)
	}
	if got := read(t, cassandra(t, cluster(t, s))); got != "first" {
		t.Errorf("after kill -9 the row says %q", got)
	}
}

func TestCassandraSecuredRing(t *testing.T) {
	s := servicestest.StartWith(t, services.Cassandra, services.Options{Nodes: 2, Secured: true})
	session := cassandra(t, cluster(t, s))
	makeTable(t, session, 2)
	if !insertOnce(t, session, "first") {
		t.Error("a conditional insert was not applied")
	}
	for name, login := range map[string][2]string{
		"wrong password":             {services.Admin, "wrong"},
		"the superuser of all":       {"cassandra", "cassandra"},
		"its name with our password": {"cassandra", s.Access().Password},
	} {
		config := cluster(t, s)
		config.Authenticator = gocql.PasswordAuthenticator{Username: login[0], Password: login[1]}
		if other, err := config.CreateSession(); err == nil {
			other.Close()
			t.Errorf("%s: gets in", name)
		}
	}
	open := cluster(t, s)
	open.SslOpts = nil
	if other, err := open.CreateSession(); err == nil {
		other.Close()
		t.Error("without TLS: gets in")
	}
	guest := cluster(t, s)
	guest.Authenticator = gocql.PasswordAuthenticator{Username: services.Guest, Password: s.Access().Password}
	denied := cassandra(t, guest).Query("SELECT value FROM test.rows").ExecContext(t.Context())
	var unauthorized gocql.RequestError
	if !errors.As(denied, &unauthorized) || unauthorized.Code() != gocql.ErrCodeUnauthorized {
		t.Errorf("a guest reads: %v, want that it may not", denied)
	}
	if err := s.Kill(1); err != nil {
		t.Fatal(err)
	}
	if got := read(t, cassandra(t, cluster(t, s))); got != "first" {
		t.Errorf("with one of two nodes the row says %q", got)
	}
}

func cluster(t *testing.T, s *services.Service) *gocql.ClusterConfig {
	t.Helper()
	config := gocql.NewCluster(s.Addresses()...)
	config.Timeout, config.ConnectTimeout = 20*time.Second, 20*time.Second
	config.Consistency = gocql.One
	config.Logger = gocql.NewLogger(gocql.LogLevelNone)
	tlsConfig, err := s.Access().TLS()
	if err != nil {
		t.Fatal(err)
	}
	if tlsConfig != nil {
		config.SslOpts = &gocql.SslOptions{Config: tlsConfig, EnableHostVerification: true}
		config.Authenticator = gocql.PasswordAuthenticator{Username: services.Admin, Password: s.Access().Password}
	}
	return config
}

func cassandra(t *testing.T, config *gocql.ClusterConfig) *gocql.Session {
	t.Helper()
	session, err := config.CreateSession()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(session.Close)
	return session
}

func makeTable(t *testing.T, session *gocql.Session, copies int) {
	t.Helper()
	replication := map[int]string{1: "1", 2: "2"}[copies]
	for _, statement := range []string{
		"CREATE KEYSPACE test WITH replication = {'class': 'NetworkTopologyStrategy', 'datacenter1': " + replication + "}",
		"CREATE TABLE test.rows (key text PRIMARY KEY, value text)",
	} {
		if err := session.Query(statement).ExecContext(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func insertOnce(t *testing.T, session *gocql.Session, value string) bool {
	t.Helper()
	applied, err := session.Query("INSERT INTO test.rows (key, value) VALUES ('key', ?) IF NOT EXISTS", value).
		MapScanCASContext(t.Context(), map[string]any{})
	if err != nil {
		t.Fatal(err)
	}
	return applied
}

func read(t *testing.T, session *gocql.Session) (value string) {
	t.Helper()
	if err := session.Query("SELECT value FROM test.rows WHERE key = 'key'").ScanContext(t.Context(), &value); err != nil {
		t.Fatal(err)
	}
	return value
}
