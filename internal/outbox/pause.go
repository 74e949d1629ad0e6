package outbox

import (
	"context"
	"time"

	"github.com/k8guard/k8guard/internal/ledger"
)

// pause is what a channel's server asked for: it is meant for all notices, not for the one that
// it did not take, and for every process.
type pause struct {
	Until time.Time `json:"until"`
}

func pauseKey(channel string) string { return "pause/" + channel }

// Pause keeps until when a channel's server asked to be left alone; the later of two.
func Pause(ctx context.Context, l ledger.Records, channel string, until time.Time) error {
	_, err := ledger.UpdateRecord(ctx, l, pauseKey(channel), func(p *pause) (bool, error) {
		later := until.After(p.Until)
		if later {
			p.Until = until
		}
		return later, nil
	})
	return err
}

// PausedUntil is until when nothing is sent on a channel; zero, or past, when it may be.
func PausedUntil(ctx context.Context, l ledger.Records, channel string) (time.Time, error) {
	p, err := ledger.Read[pause](ctx, l, pauseKey(channel))
	return p.Until, err
}
