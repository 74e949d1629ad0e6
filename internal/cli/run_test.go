package cli

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
)

// A stop is said when it is asked for and when it is done; an end of its own is neither.
func TestAStopIsSaid(t *testing.T) {
	broken := errors.New("broken")
	for _, test := range []struct {
		name     string
		asked    bool
		err      error
		stopping bool
		stopped  bool
	}{
		{"asked", true, nil, true, true},
		{"asked, and ended badly", true, broken, true, false},
		{"by itself", false, broken, false, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			var log strings.Builder
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			err := untilStopped(ctx, slog.New(slog.NewTextHandler(&log, nil)), func(context.Context) error {
				if test.asked {
					stop()
				}
				return test.err
			})
			at, done := strings.Index(log.String(), "is stopping"), strings.Index(log.String(), "has stopped")
			if !errors.Is(err, test.err) || (at >= 0) != test.stopping || (done >= 0) != test.stopped || test.stopped && done < at {
				t.Errorf("%v: %s", err, log.String())
			}
		})
	}
}
