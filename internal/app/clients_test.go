package app

import (
	"testing"
	"time"
)

// An answer that took long, or for which this process was paused, says nothing of clocks.
func TestAnAnswerThatTookLongIsNoSkew(t *testing.T) {
	asked := time.Date(2026, 3, 1, 12, 0, 0, 900e6, time.UTC)
	for _, row := range []struct{ date, answered, want time.Duration }{
		{0, 0, 0},
		{-900 * time.Millisecond, 0, 0}, // stated to the second
		{0, time.Minute, 0},
		{30 * time.Second, time.Minute, 0},
		{time.Minute, time.Minute, 0},
		{2 * time.Minute, time.Minute, time.Minute},
		{-time.Minute, 0, -time.Minute},
		{-time.Minute, time.Hour, -time.Minute},
		{time.Hour, 0, time.Hour},
	} {
		if got := skewOf(asked.Add(row.date), asked, asked.Add(row.answered)); got != row.want {
			t.Errorf("stated %v after the question, answered %v after it: %v apart, want %v", row.date, row.answered, got, row.want)
		}
	}
}
