package app

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/control"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/enforce"
	"github.com/k8guard/k8guard/internal/report"
	"github.com/k8guard/k8guard/internal/rule"
)

// desk is what the report may ask of action.
type desk struct{ in *instance }

func (d desk) Undo(ctx context.Context, caseID, by, reason string, own bool) (string, error) {
	return d.in.action.Undo(ctx, caseID, docket.Undo{By: by, Reason: reason, Own: own})
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
	return knownScope(d.in.engine.Rules(), []string{d.in.cluster.Name}, scope)
}

func knownScope(rules []rule.Meta, clusters []string, scope string) error {
	if err := control.CheckScope(scope); err != nil {
		return err
	}
	kind, name, _ := strings.Cut(scope, "/")
	var names []string
	switch kind {
	case "cluster":
		names = clusters
	case "rule":
		for _, m := range rules {
			names = append(names, m.ID)
		}
	default:
		return nil
	}
	if slices.Contains(names, name) {
		return nil
	}
	if hint, near := strings.CutPrefix(config.Suggest(name, names), "did you mean "); near {
		return fmt.Errorf("scope %q: no %s is called that; did you mean %s/%s nothing was frozen", scope, kind, kind, hint)
	}
	return fmt.Errorf("scope %q: no %s is called that; known is %s; nothing was frozen", scope, kind, strings.Join(names, ", "))
}

func (d desk) Unfreeze(ctx context.Context, scope, by, reason string) error {
	return d.in.control.Lift(ctx, scope, by, reason)
}

// Status gathers what stands where; what cannot be read is said in words.
func (d desk) Status(ctx context.Context) (report.Status, error) {
	in := d.in
	mode, why := in.action.Mode(in.cluster.Name)
	s := report.Status{Mode: mode, Enforcement: enforcement(mode, why), Cluster: in.cluster.Name, Refused: in.reload.refused()}
	seen := in.discover.Status()
	s.WatchAge, s.Stale, s.Observed = seen.Oldest, seen.Stale, in.Now().Add(-seen.Oldest)
	if err := switches(ctx, in.control, []string{in.cluster.Name}, in.Now(), &s); err != nil {
		return s, err
	}
	for i := range s.Freezes {
		s.Freezes[i].Pending = !in.action.Idle()
	}
	budget, err := in.control.Budget(ctx, in.cluster.UID)
	if err != nil {
		return s, err
	}
	s.Budget = d.budget(budget)
	var held string
	s.Permit, held = d.permit(ctx)
	if mode == config.ModeEnforce && why == "" {
		s.Enforcement = sum(s, held)
	}
	return s, nil
}

// sum is what all the switches together come to, where enforcement has started.
func sum(s report.Status, permit string) string {
	var holds []string
	hold := func(is bool, why string) {
		if is {
			holds = append(holds, why)
		}
	}
	hold(permit != "", permit)
	hold(slices.ContainsFunc(s.Freezes, func(f report.Freeze) bool { return f.Scope == "global" || f.Scope == "cluster/"+s.Cluster }), "it is frozen")
	own := s.Breaker
	for _, c := range s.Clusters {
		if c.Name == s.Cluster {
			own = c.Breaker // another cluster's holds nothing here
		}
	}
	hold(own.Open, "the breaker is open")
	hold(s.Stale, "the cluster is not heard")
	if len(holds) == 0 {
		return enforcement(config.ModeEnforce, "")
	}
	return "held, nothing is acted on: " + strings.Join(holds, "; ")
}

// switches reads freezes, their log, the breakers and the clusters from the ledger.
func switches(ctx context.Context, c *control.Control, names []string, now time.Time, s *report.Status) error {
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
	breakers, err := c.Breakers(ctx)
	if err != nil {
		return err
	}
	known, err := c.Clusters(ctx)
	if err != nil {
		return err
	}
	s.Breaker, s.Clusters = breaker(breakers.Sum()), clusters(current(known, names), breakers, now)
	return nil
}

func breaker(b control.Breaker) report.Breaker {
	out := report.Breaker{Open: b.Open, Reason: b.Reason, At: b.At, ClosedBy: b.ClosedBy, ClosedAt: b.ClosedAt}
	if !b.Open {
		out.Reason = b.Why()
	}
	return out
}

// unseen is how long nobody may have looked at a cluster before that is worth a word.
const unseen = 5 * time.Minute

// current leaves what is configured, if anything is, and of several UIDs of one name the one
// that was looked at last: the others are of clusters that are gone.
func current(known []control.Known, names []string) (all []control.Known) {
	last := map[string]time.Time{}
	for _, k := range known {
		if k.Looked.After(last[k.Name]) {
			last[k.Name] = k.Looked
		}
	}
	for _, k := range known {
		if k.Looked.Equal(last[k.Name]) && (len(names) == 0 || slices.Contains(names, k.Name)) {
			all = append(all, k)
		}
	}
	return all
}

// clusters lists what actions answer for, as they saw it last.
func clusters(known []control.Known, breakers control.Breakers, now time.Time) (all []report.Cluster) {
	for _, k := range known {
		one := report.Cluster{Name: k.Name, UID: k.UID, Judged: k.Judged, Violating: k.Violating, Stale: k.Stale, Since: k.Since, Looked: k.Looked,
			Breaker: breaker(breakers.Of(v1.Cluster{Name: k.Name, UID: k.UID}))}
		if now.Sub(k.Looked) > unseen {
			one.Stale, one.Since = "no action has looked at it", k.Looked
		}
		all = append(all, one)
	}
	return all
}

func (d desk) budget(b control.Budget) report.Budget {
	l, now := d.in.Config.Enforce.Budget, d.in.Now()
	out := report.Budget{PerHour: control.HourLimit(l, d.in.action.Judged(d.in.cluster.UID)), PerDay: l.PerDay, PerNamespace: l.PerNamespace,
		PerOwner: l.PerOwner, PerRule: l.PerRule, Waiting: len(b.Claims), LastRound: b.Last, LastAt: b.LastAt}
	out.UsedHour, out.UsedDay = b.Spent(now)
	spent := b.SpentBy(now)
	for _, part := range []struct {
		by    string
		used  map[string]int
		limit int
	}{{"namespace", spent.Namespaces, l.PerNamespace}, {"owner", spent.Owners, l.PerOwner}, {"rule", spent.Rules, l.PerRule}} {
		for name, n := range part.used {
			out.Spent = append(out.Spent, report.Spent{By: part.by, Name: name, Used: n, Left: max(0, part.limit-n)})
		}
	}
	slices.SortFunc(out.Spent, func(a, b report.Spent) int {
		return cmp.Or(b.Used-a.Used, strings.Compare(a.By, b.By), strings.Compare(a.Name, b.Name))
	})
	return out
}

// permit says what the permit says, and why nothing is acted on for it, if so.
func (d desk) permit(ctx context.Context) (text, held string) {
	if d.in.enforcer == nil {
		return "not read: no account that may act", ""
	}
	return permitText(d.in.enforcer.Permit(ctx))
}

func permitText(p enforce.Switch) (text, held string) {
	switch {
	case apierrors.IsNotFound(p.Err):
		return "absent: nothing is acted on", "the permit is absent"
	case p.Err != nil:
		return "unreadable, which counts as frozen: " + p.Err.Error(), "the permit cannot be read"
	case !p.On:
		return p.Text, "the permit does not say " + enforce.PermitValue
	}
	return p.Text, ""
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
