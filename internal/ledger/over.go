package ledger

import (
	"time"

	"github.com/k8guard/k8guard/internal/docket"
)

// Over is since when nothing of the docket is open, if it is now; the zero time while
// anything is. An act that was not undone is open as long as an undo could take it back; and
// that a root has seen its one enforcement is remembered for as long as the root lives.
func Over(d docket.Docket, now time.Time) time.Time {
	if d.Live() || d.Enforcement != nil && (d.Enforcement.State != docket.Undid || d.GoneAt.IsZero()) {
		return time.Time{}
	}
	if d.CoolOffUntil.After(now) {
		return d.CoolOffUntil
	}
	return now
}
