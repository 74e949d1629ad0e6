package action

import (
	"context"
	"time"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/policy"
)

// mark tells on the cluster which act now has a date. Warnings come long before; an Event is
// for whoever looks at the object and reads no mail.
func (e *Engine) mark(ctx context.Context, was, is docket.Docket) {
	action := policy.Action(is.Root.Kind)
	s := e.site(is.Cluster)
	if s.gate == nil || action == "" {
		return
	}
	var cases []string
	var first time.Time
	for _, c := range is.Cases {
		if !dated(c, action) {
			continue
		}
		if before := was.Find(c.ID); before != nil && dated(*before, action) {
			continue
		}
		cases = append(cases, c.ID)
		if first.IsZero() || c.Plan.At.Before(first) {
			first = c.Plan.At
		}
	}
	if len(cases) == 0 {
		return
	}
	e.senders.Go(func() {
		select {
		case s.acting <- struct{}{}:
			defer func() { <-s.acting }()
			s.gate.Mark(ctx, is, action, cases, first)
		case <-ctx.Done():
		}
	})
}

// dated reports whether the case only waits for the time of its act.
func dated(c docket.Case, action string) bool {
	return c.Plan.Step == policy.Wait && c.Plan.Reason == policy.Waiting && c.Plan.Next == action
}
