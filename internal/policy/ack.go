package policy

import (
	"time"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/docket"
)

// Paused returns until when an acknowledgement holds the ladder of a case: as long as was
// asked for, and no longer than the policy allows from the first acknowledgement on. Zero
// means that it does not, or no more.
func Paused(c docket.Case, l config.Ladder, now time.Time) time.Time {
	if c.Ack == nil || l.AckPauses <= 0 || c.Ack.Until.IsZero() {
		return time.Time{}
	}
	until := c.Ack.First.Add(l.AckPauses)
	if c.Ack.Until.Before(until) {
		until = c.Ack.Until
	}
	if !now.Before(until) {
		return time.Time{}
	}
	return until.UTC()
}
