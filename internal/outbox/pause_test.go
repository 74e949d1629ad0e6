package outbox_test

import (
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/outbox"
)

// A pause is kept, is the later of two, and ends within a day whatever a server or a clock said.
func TestAPauseIsBounded(t *testing.T) {
	l, now := open(t), start()
	until := func() time.Duration {
		t.Helper()
		at, err := outbox.PausedUntil(t.Context(), l, "email", now)
		must(t, err)
		if at.IsZero() {
			return 0
		}
		return at.Sub(now)
	}
	for _, step := range []struct {
		at         time.Time
		wait, want time.Duration
	}{
		{now.AddDate(0, 1, 0), time.Hour, 0}, // by a clock a month ahead: no pause, and none that stays
		{now, time.Hour, time.Hour}, {now, time.Minute, time.Hour}, {now, 1000 * time.Hour, outbox.MaxPause},
	} {
		must(t, outbox.Pause(t.Context(), l, "email", step.at, step.wait))
		if got := until(); got != step.want {
			t.Errorf("asked for %s at %s: %s is left, want %s", step.wait, step.at, got, step.want)
		}
	}
	if at, err := outbox.PausedUntil(t.Context(), l, "slack", now); err != nil || !at.IsZero() {
		t.Errorf("another channel: %s, %v", at, err)
	}
}
