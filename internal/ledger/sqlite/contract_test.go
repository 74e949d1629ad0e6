package sqlite_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/ledger/ledgertest"
	"github.com/k8guard/k8guard/internal/ledger/sqlite"
)

func open(t testing.TB, dir string) ledger.Ledger {
	t.Helper()
	l, err := sqlite.Open(t.Context(), filepath.Join(dir, "ledger.db"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestContract(t *testing.T) {
	ledgertest.Run(t, func(t testing.TB) ledger.Ledger { return open(t, t.TempDir()) })
}

func TestContractReopen(t *testing.T) { ledgertest.RunReopen(t, open) }
