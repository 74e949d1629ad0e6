package outbox

import (
	"context"
	"time"

	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/notify"
)

const (
	// skew is how far clocks may be apart. A record that says more than both was made by one that
	// was wrong, and would silence a channel for as long: it is none.
	skew = time.Hour
	// lull is how long a channel goes without a pause before the next begins a new series.
	lull = 15 * time.Minute
)

// pause is what a channel's server asked for: it is meant for all notices, not for the one that
// it did not take, and for every process.
type pause struct {
	Since time.Time `json:"since"` // when it asked first, of a series without a lull
	Until time.Time `json:"until"`
}

func (p pause) valid(now time.Time) bool { return p.Until.Sub(now) <= notify.MaxPause+skew }

// Pause keeps for how long from now a channel's server asked to be left alone; the later of two.
func Pause(ctx context.Context, l ledger.Records, channel string, now time.Time, wait time.Duration) error {
	until := now.Add(min(wait, notify.MaxPause))
	_, err := ledger.UpdateRecord(ctx, l, pauseKey(channel), func(p *pause) (bool, error) {
		if !p.valid(now) || now.Sub(p.Until) > lull {
			*p = pause{Since: now}
		}
		later := until.After(p.Until)
		if later {
			p.Until = until
		}
		return later, nil
	})
	return err
}

func pauseKey(channel string) string { return "pause/" + channel }

// Paused is since when, and until when, nothing is sent on a channel; ok is false when it may be.
func Paused(ctx context.Context, l ledger.Records, channel string, now time.Time) (since, until time.Time, ok bool, err error) {
	p, err := ledger.Read[pause](ctx, l, pauseKey(channel))
	return p.Since, p.Until, err == nil && p.valid(now) && now.Before(p.Until), err
}
