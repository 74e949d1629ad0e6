package outbox_test

import (
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/notify"
	"github.com/k8guard/k8guard/internal/outbox"
)

// A pause is kept, is the later of two, and ends within a day whatever a server or a clock said.
func TestAPauseIsBounded(t *testing.T) {
	l, now := open(t), start()
	left := func(channel string) time.Duration {
		t.Helper()
		_, until, paused, err := outbox.Paused(t.Context(), l, channel, now)
		must(t, err)
		if !paused {
			return 0
		}
		return until.Sub(now)
	}
	for _, step := range []struct {
		at         time.Time
		wait, want time.Duration
	}{
		{now.AddDate(0, 1, 0), time.Hour, 0}, // by a clock a month ahead: no pause, and none that stays
		{now, time.Hour, time.Hour}, {now, time.Minute, time.Hour}, {now, 1000 * time.Hour, notify.MaxPause},
	} {
		must(t, outbox.Pause(t.Context(), l, "email", step.at, step.wait))
		if got := left("email"); got != step.want {
			t.Errorf("asked for %s at %s: %s is left, want %s", step.wait, step.at, got, step.want)
		}
	}
	if got := left("slack"); got != 0 {
		t.Errorf("another channel waits %s", got)
	}
}

// A series of pauses is as old as its first, and ends with a lull.
func TestASeriesOfPausesHasABeginning(t *testing.T) {
	l, now := open(t), start()
	for at, want := range []time.Duration{0, 0, 0, 3 * time.Hour, 3 * time.Hour} { // by the hour; of each pause nearly all
		if at == 2 {
			continue // an hour without
		}
		when := now.Add(time.Duration(at) * time.Hour)
		must(t, outbox.Pause(t.Context(), l, "email", when, 55*time.Minute))
		since, _, paused, err := outbox.Paused(t.Context(), l, "email", when)
		if err != nil || !paused || since.Sub(now) != want {
			t.Errorf("hour %d: since %s, %t, %v", at, since, paused, err)
		}
	}
}

// A notice is given up for pauses, not for its age; and a date that a wrong clock made is none.
func TestWhatWaitedOutADayOfPausesIsGivenUp(t *testing.T) {
	for name, row := range map[string]struct {
		pause time.Duration
		tries int // the last of which ends it
	}{"a day each": {24 * time.Hour, 2}, "hours": {5 * time.Hour, 6}, "none, and old": {0, outbox.MaxTries}} {
		l, now := open(t), start().Add(60*time.Hour) // composed before a long stop
		file(t, l, start(), 1)
		n := composed(t, l)
		for try := 1; try <= row.tries; try++ {
			_, begun, err := outbox.Begin(t.Context(), l, n.Key, "p", "token", now)
			if must(t, err); !begun {
				t.Fatalf("%s: try %d is not begun", name, try)
			}
			n, err = outbox.End(t.Context(), l, n.Key, "token", notify.Outcome{State: notify.Failed, RetryAfter: row.pause}, now)
			if must(t, err); (n.State == outbox.Failed) != (try == row.tries) {
				t.Fatalf("%s: after try %d it is %s", name, try, n.State)
			}
			if now = n.NotUntil; n.Rests(now) || !n.Rests(now.Add(-time.Second)) || n.Rests(now.AddDate(0, -1, 0)) {
				t.Errorf("%s: rests at its date, or not before, or for a month", name)
			}
		}
	}
}
