package app

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/control"
	"github.com/k8guard/k8guard/internal/report"
)

// desk is what the report may ask of action.
type desk struct{ in *instance }

func (d desk) Undo(ctx context.Context, caseID, by, reason string) (string, error) {
	return d.in.action.Undo(ctx, caseID, by, reason)
}

func (d desk) Freeze(ctx context.Context, scope, by, reason string) error {
	if err := d.known(scope); err != nil {
		return err
	}
	pending, err := d.in.action.Freeze(ctx, scope, by, reason)
	if err == nil && pending {
		return fmt.Errorf("%s is frozen, but an act that had begun is still open: pending", scope)
	}
	return err
}

// known refuses a scope that names nothing here: it would stop nothing.
func (d desk) known(scope string) error {
	if err := control.CheckScope(scope); err != nil {
		return err
	}
	kind, name, _ := strings.Cut(scope, "/")
	var names []string
	switch kind {
	case "cluster":
		names = []string{d.in.cluster.Name}
	case "rule":
		for _, m := range d.in.engine.Rules() {
			names = append(names, m.ID)
		}
	default:
		return nil
	}
	if slices.Contains(names, name) {
		return nil
	}
	for _, n := range names {
		if strings.EqualFold(n, name) {
			return fmt.Errorf("scope %q: no %s is called that; did you mean %s/%s? nothing was frozen", scope, kind, kind, n)
		}
	}
	return fmt.Errorf("scope %q: no %s is called that; known is %s; nothing was frozen", scope, kind, strings.Join(names, ", "))
}

func (d desk) Unfreeze(ctx context.Context, scope, by, reason string) error {
	return d.in.control.Lift(ctx, scope, by, reason)
}

// Status gathers what stands where; what cannot be read is said in words.
func (d desk) Status(ctx context.Context) (report.Status, error) {
	in := d.in
	mode, why := in.action.Mode()
	s := report.Status{Mode: mode, Enforcement: enforcement(mode, why), Cluster: in.cluster.Name}
	seen := in.discover.Status()
	s.WatchAge, s.Stale, s.Observed = seen.Oldest, seen.Stale, in.Now().Add(-seen.Oldest)
	if err := switches(ctx, in.control, &s); err != nil {
		return s, err
	}
	for i := range s.Freezes {
		s.Freezes[i].Pending = !in.action.Idle()
	}
	budget, err := in.control.Budget(ctx, in.cluster.UID)
	if err != nil {
		return s, err
	}
	limits := in.Config.Enforce.Budget
	s.Budget = report.Budget{PerHour: limits.PerHour, PerDay: limits.PerDay, LastRound: budget.Last}
	s.Budget.UsedHour, s.Budget.UsedDay = budget.Spent(in.Now())
	s.Permit = d.permit(ctx)
	return s, nil
}

// switches reads freezes, their log and the breaker from the ledger.
func switches(ctx context.Context, c *control.Control, s *report.Status) error {
	freezes, err := c.Freezes(ctx)
	if err != nil {
		return err
	}
	for _, f := range freezes {
		s.Freezes = append(s.Freezes, report.Freeze{Scope: f.Scope, By: f.By, Reason: f.Reason, At: f.At})
	}
	events, err := c.Log(ctx)
	if err != nil {
		return err
	}
	for _, e := range events {
		s.Switches = append(s.Switches, report.Switch(e))
	}
	b, err := c.Breaker(ctx)
	s.Breaker = report.Breaker{Open: b.Open, Reason: b.Reason, At: b.At}
	return err
}

func (d desk) permit(ctx context.Context) string {
	if d.in.enforcer == nil {
		return "not read: no account that may act"
	}
	p := d.in.enforcer.Permit(ctx)
	if p.Err != nil {
		return "unreadable, which counts as frozen: " + p.Err.Error()
	}
	return p.Text
}

func enforcement(mode, why string) string {
	switch {
	case why != "":
		return "off: " + why
	case mode == config.ModeEnforce:
		return "on, for the policies that say enforce: true"
	case mode == config.ModeDryRun:
		return "off: dry run, nobody is told either"
	}
	return "off: safe mode tells, it does not act"
}
