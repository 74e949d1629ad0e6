package app

import (
	"context"
	"errors"
	"io"
	"path/filepath"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/ledger/move"
	"github.com/k8guard/k8guard/internal/ledger/sqlite"
)

// ExportLedger writes the whole ledger of the configuration. One in a file is of one moment,
// also beside the K8Guard that writes it.
func ExportLedger(ctx context.Context, s Settings, to io.Writer, progress move.Progress) (end move.End, err error) {
	write := func(from ledger.Source) error {
		end, err = move.Export(ctx, from, to, progress)
		return err
	}
	if s.Config.Ledger.Kind == config.LedgerCassandra {
		store, err := (&instance{Settings: s}).openCassandra(ctx)
		if err != nil {
			return end, err
		}
		err = store.Snapshot(ctx, write)
		return end, errors.Join(err, store.Close())
	}
	store, err := sqlite.OpenReadOnly(ctx, filepath.Join(s.Config.Data.Dir, LedgerFile))
	if err != nil {
		return end, err
	}
	err = store.Snapshot(ctx, write)
	return end, errors.Join(err, store.Close())
}

// ImportLedger fills the empty ledger of the configuration from a file, or goes on with it.
func ImportLedger(ctx context.Context, s Settings, file string, verify bool, progress move.Progress) (move.Result, error) {
	o := move.Options{Verify: verify, Now: s.Now, Progress: progress}
	if s.Config.Ledger.Kind == config.LedgerCassandra {
		store, err := (&instance{Settings: s}).openCassandra(ctx)
		if err != nil {
			return move.Result{}, err
		}
		result, err := move.Import(ctx, file, store, o)
		return result, errors.Join(err, store.Close())
	}
	if err := makeDataDir(s.Config.Data.Dir); err != nil {
		return move.Result{}, err
	}
	store, err := sqlite.Open(ctx, filepath.Join(s.Config.Data.Dir, LedgerFile), s.Now)
	if err != nil {
		return move.Result{}, err
	}
	result, err := move.Import(ctx, file, store, o)
	return result, errors.Join(err, store.Close())
}
