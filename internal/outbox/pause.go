package outbox

import (
	"context"
	"time"

	"github.com/k8guard/k8guard/internal/ledger"
)

// MaxPause bounds how long a server may have us wait. A record that says more was made by a clock
// that was wrong, and would silence a channel for as long: it is none.
const MaxPause = 24 * time.Hour

// pause is what a channel's server asked for: it is meant for all notices, not for the one that
// it did not take, and for every process.
type pause struct {
	Until time.Time `json:"until"`
}

func (p pause) at(now time.Time) time.Time {
	if p.Until.Sub(now) > MaxPause {
		return time.Time{}
	}
	return p.Until
}

func pauseKey(channel string) string { return "pause/" + channel }

// Pause keeps for how long from now a channel's server asked to be left alone; the later of two.
func Pause(ctx context.Context, l ledger.Records, channel string, now time.Time, wait time.Duration) error {
	until := now.Add(min(wait, MaxPause))
	_, err := ledger.UpdateRecord(ctx, l, pauseKey(channel), func(p *pause) (bool, error) {
		if !until.After(p.at(now)) {
			return false, nil
		}
		p.Until = until
		return true, nil
	})
	return err
}

// PausedUntil is until when nothing is sent on a channel; zero, or past, when it may be.
func PausedUntil(ctx context.Context, l ledger.Records, channel string, now time.Time) (time.Time, error) {
	p, err := ledger.Read[pause](ctx, l, pauseKey(channel))
	return p.at(now), err
}
