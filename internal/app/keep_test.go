package app

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// shredder records when it was asked for what.
type shredder struct {
	more   []bool
	failed bool
	at     []time.Duration
	before []time.Duration
	start  time.Time
}

func (s *shredder) Prune(_ context.Context, before time.Time) (bool, error) {
	s.at, s.before = append(s.at, time.Since(s.start)), append(s.before, time.Since(before))
	if n := len(s.at) - 1; n < len(s.more) {
		return s.more[n], nil
	}
	if s.failed {
		return true, errors.New("disk full")
	}
	return false, nil
}

func TestKeepDeletesInBatchesAndRestsAnHour(t *testing.T) {
	for _, failed := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s := &shredder{more: []bool{true, true, false}, failed: failed, start: time.Now()}
			ctx, stop := context.WithTimeout(t.Context(), 90*time.Minute)
			defer stop()
			keep(ctx, s, 48*time.Hour, time.Now, slog.New(slog.DiscardHandler))
			want := []time.Duration{0, prunePause, 2 * prunePause, 2*prunePause + time.Hour}
			if !slices.Equal(s.at, want) || slices.Min(s.before) != 48*time.Hour || slices.Max(s.before) != 48*time.Hour {
				t.Errorf("asked after %v, for what is older than %v", s.at, s.before)
			}
		})
	}
}

func TestKeepForEver(t *testing.T) {
	s := &shredder{}
	if keep(t.Context(), s, 0, time.Now, slog.New(slog.DiscardHandler)); len(s.at) != 0 {
		t.Error("something was deleted with a retention of 0")
	}
}
