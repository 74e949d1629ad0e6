package cassandra_test

import (
	"testing"

	gocql "github.com/apache/cassandra-gocql-driver/v2"

	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/ledger/ledgertest"
	"github.com/k8guard/k8guard/tools/services"
	"github.com/k8guard/k8guard/tools/services/servicestest"
)

// TestReal is everything on one real server, for it takes long to start. What kills it comes last.
func TestReal(t *testing.T) {
	s := server(t)
	for _, test := range []struct {
		name string
		run  func(*testing.T, *services.Service)
	}{
		{"contract", contract},
		{"replicas race to make the tables", schemaRace},
		{"a step whose answer was lost", schemaLostAnswer},
		{"tables made by hand", schemaByHand},
		{"what is wrong is said", wrong},
		{"one winner of each version", winners},
		{"large documents", large},
		{"deadlines at close and none when opened again", deadlines},
		{"open dockets after a crash", leftovers},
		{"an old entry hides no docket", reborn},
		{"a late feed entry is not missed", lateFeed},
		{"mirrors agree", mirrorsAgree},
		{"a broken docket holds up no other", brokenDocket},
		{"what is past its retention goes", retention},
		{"a mirror of another ledger is thrown away", otherMirror},
		{"moved from SQLite and back", moves},
		{"an import that is killed", killedImport},
		{"claims over a bad net are linearizable", linear},
		{"a server that stands still", standstill},
		{"kill -9", kills},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, s) })
	}
}

func servicesSecured(t *testing.T) *services.Service {
	t.Helper()
	return servicestest.StartWith(t, services.Cassandra, services.Options{Secured: true})
}

func contract(t *testing.T, s *services.Service) {
	o := &opener{settings: settings(t, s, "contract")}
	fewer(t)
	ledgertest.Run(t, func(t testing.TB) ledger.Ledger { return o.report(t, t.TempDir()) })
	t.Run("reopen", func(t *testing.T) {
		ledgertest.RunReopen(t, func(t testing.TB, dir string) ledger.Ledger { return o.report(t, dir) })
	})
}

// session is the driver's own, for what a test does behind the ledger's back.
func session(t testing.TB, s *services.Service, keyspace string) *gocql.Session {
	t.Helper()
	c := gocql.NewCluster(s.Addresses()...)
	c.Keyspace, c.Timeout, c.ConnectTimeout = keyspace, patience, patience
	c.Logger = gocql.NewLogger(gocql.LogLevelNone)
	made, err := c.CreateSession()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(made.Close)
	return made
}

func exec(t testing.TB, on *gocql.Session, statement string, values ...any) {
	t.Helper()
	if err := on.Query(statement, values...).ExecContext(t.Context()); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}
