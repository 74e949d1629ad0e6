package cassandra_test

import (
	"flag"
	"testing"

	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/ledger/ledgertest"
)

// modelChecks is how many runs of the model are enough: each of some hundred calls to a real server.
const modelChecks = "6"

func TestContract(t *testing.T) {
	o := &opener{server: server(t)}
	fewer(t)
	ledgertest.Run(t, func(t testing.TB) ledger.Ledger { return o.report(t, t.TempDir()) })
	t.Run("reopen", func(t *testing.T) {
		ledgertest.RunReopen(t, func(t testing.TB, dir string) ledger.Ledger { return o.report(t, dir) })
	})
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
