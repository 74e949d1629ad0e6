package action

import (
	"context"
	"fmt"
	"time"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/policy"
)

// Acknowledge records that a person has seen a case, and says what follows from it, and until
// when its ladder pauses: zero where it goes on. The hold is how long they ask it to pause; whether
// it does, the case's policy says.
func (e *Engine) Acknowledge(ctx context.Context, caseID, by, reason string, hold time.Duration) (string, time.Time, error) {
	d, err := e.docketOf(ctx, caseID)
	if err != nil {
		return "", time.Time{}, err
	}
	ack := docket.Ack{By: by, Reason: reason, At: e.Now().UTC()}
	if hold > 0 {
		ack.Until = ack.At.Add(hold)
	}
	d, err = ledger.Update(ctx, e.Ledger, d.Key, func(d docket.Docket) (docket.Docket, []docket.Entry, bool, error) {
		next, entries, err := e.granted(d, caseID, ack)
		return next, entries, err == nil, err
	})
	if err != nil {
		return "", time.Time{}, err
	}
	e.wakeDocket(ctx, d.Key)
	c := *d.Find(caseID)
	return "acknowledged; " + acknowledged(d, c, hold, e.policyOf(d, c)), c.Ack.Until, nil
}

// acknowledged says what follows: how long the ladder pauses, and where less was granted than was
// asked for, by which word of the configuration.
func acknowledged(d docket.Docket, c docket.Case, hold time.Duration, pol config.Policy) string {
	goes := "its ladder goes on"
	if d.Undone() && d.CoolOffUntil.After(c.Ack.At) {
		goes = "its act was undone, and it cools off until " + d.CoolOffUntil.UTC().Format(time.RFC3339)
	}
	pauses := "its ladder pauses until " + c.Ack.Until.Format(time.RFC3339)
	switch {
	case c.Ack.Until.IsZero() && hold == 0:
		return goes
	case c.Ack.Until.IsZero():
		return fmt.Sprintf("%s, and the pause is not kept: ladder.ackPauses of policy %q does not allow one now", goes, pol.Name)
	case c.Ack.Until.Before(c.Ack.At.Add(hold)):
		return fmt.Sprintf("%s was asked for, and %s from the first acknowledgement on is what ladder.ackPauses of policy %q allows: %s",
			config.Shortly(hold), config.Shortly(pol.Ladder.AckPauses), pol.Name, pauses)
	}
	return pauses
}

// granted records as much of the pause as the policy allows now. What is refused is not kept:
// a later policy must not take it up.
func (e *Engine) granted(d docket.Docket, id string, ack docket.Ack) (docket.Docket, []docket.Entry, error) {
	asked, _, err := docket.Acknowledge(d, id, ack)
	if err != nil {
		return d, nil, err
	}
	c := *asked.Find(id)
	ack.Until = policy.Paused(c, e.policyOf(asked, c).Ladder, ack.At)
	return docket.Acknowledge(d, id, ack)
}
