package app_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/app"
	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/ledger/sqlite"
)

// A ledger whose import was cut off lacks dockets: who worked on it would warn anew.
func TestNobodyStartsOnAHalfFilledLedger(t *testing.T) {
	s, seen := settings(t, newCluster(t).URL)
	must(t, os.MkdirAll(s.Config.Data.Dir, 0o700))
	mark := func(m ledger.Move) {
		l, err := sqlite.Open(t.Context(), filepath.Join(s.Config.Data.Dir, app.LedgerFile), time.Now)
		must(t, err)
		_, err = ledger.UpdateRecord(t.Context(), l, ledger.MoveKey, func(now *ledger.Move) (bool, error) { *now = m; return true, nil })
		must(t, errors.Join(err, l.Close()))
	}
	mark(ledger.Move{SHA256: "a", ID: "new", At: time.Now()})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := app.Run(ctx, s); !errors.Is(err, ledger.ErrHalf) {
		t.Errorf("run on half a ledger: %v", err)
	}
	if _, err := app.ExportLedger(ctx, s, os.Stderr, nil); !errors.Is(err, ledger.ErrHalf) {
		t.Errorf("export of half a ledger: %v", err)
	}
	mark(ledger.Move{SHA256: "a", ID: "new", At: time.Now(), Done: time.Now()})
	must(t, run(t, s, seen).stop())
}
