package app

import (
	"context"
	"log/slog"
	"time"
)

const (
	// pruneEvery is how often the ledger is looked through for what is past its retention.
	pruneEvery = time.Hour
	// prunePause leaves the writer to others between two batches.
	prunePause = 100 * time.Millisecond
)

// pruner deletes one batch of what was closed before a time, and says whether there is more.
type pruner interface {
	Prune(ctx context.Context, before time.Time) (more bool, err error)
}

// keep deletes what is past its retention until ctx ends; a retention of 0 keeps all. What
// fails is tried again an hour later: it costs room, never knowledge.
func keep(ctx context.Context, p pruner, retention time.Duration, now func() time.Time, log *slog.Logger) {
	wait := time.Duration(0)
	for retention > 0 {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		more, err := p.Prune(ctx, now().Add(-retention))
		if err != nil && ctx.Err() == nil {
			log.Warn("what is past data.retention was not deleted", "err", err, "next", "trying again in an hour; the disk may be full")
		}
		if wait = pruneEvery; more && err == nil {
			wait = prunePause
		}
	}
}
