package control

import (
	"context"
	"time"

	"github.com/k8guard/k8guard/internal/ledger"
)

const logKey = "control/log"

// maxEvents bounds the log: the oldest leave first.
const maxEvents = 200

// The events of the log.
const (
	EventFrozen   = "frozen"
	EventUnfrozen = "unfrozen"
	EventTripped  = "breaker tripped"
	EventClosed   = "breaker closed"
)

// Event is one change of a switch. By is empty where K8Guard tripped the breaker itself.
type Event struct {
	At     time.Time `json:"at"`
	What   string    `json:"what"`
	Scope  string    `json:"scope,omitempty"`
	By     string    `json:"by,omitempty"`
	Reason string    `json:"reason"`
}

// Log returns the last 200 changes of the switches, newest first.
func (c *Control) Log(ctx context.Context) ([]Event, error) {
	return ledger.Read[[]Event](ctx, c.records, logKey)
}

// Lift is Unfreeze for a person with a reason, which are kept in the log.
func (c *Control) Lift(ctx context.Context, scope, by, reason string) error {
	if err := c.Unfreeze(ctx, scope); err != nil {
		return err
	}
	return c.note(ctx, Event{What: EventUnfrozen, Scope: scope, By: by, Reason: reason})
}

// note comes after the switch: a crash between them loses the line, never the switch.
func (c *Control) note(ctx context.Context, e Event) error {
	e.At = c.now().UTC()
	c.tell(e)
	_, err := ledger.UpdateRecord(ctx, c.records, logKey, func(list *[]Event) (bool, error) {
		*list = append([]Event{e}, *list...)
		*list = (*list)[:min(len(*list), maxEvents)]
		return true, nil
	})
	return err
}
