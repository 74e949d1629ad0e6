package cli

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/k8guard/k8guard/internal/report"
	"github.com/k8guard/k8guard/internal/scan"
)

func newStatus(s Streams) *cobra.Command {
	var from reach
	var output string
	c := &cobra.Command{
		Use: "status", Short: "Show where a running K8Guard stands: mode, permit, breaker, freezes, budget",
		Long: "Show where a running K8Guard stands, over its socket: what it may do now, what holds it, what is left of the\n" +
			"budget, and how old its knowledge is.",
		Example: "  k8guard status\n  k8guard status -o json",
		Args:    arguments(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			if err := known(output); err != nil {
				return err
			}
			to, err := from.client(s)
			if err != nil {
				return err
			}
			now, err := to.status(c.Context())
			if err != nil {
				return ExitError{Code: ExitFailure, Err: err}
			}
			if output == "json" {
				return json.NewEncoder(s.Out).Encode(now)
			}
			_, err = fmt.Fprint(s.Out, statusText(now, to.how))
			return err
		},
	}
	from.flags(c)
	c.Flags().StringVarP(&output, "output", "o", "text", "text or json")
	complete(c, "output", "text", "json")
	return c
}

func statusText(now report.Status, how string) string {
	var b strings.Builder
	line := func(name, format string, args ...any) {
		if text := fmt.Sprintf(format, args...); text != "" {
			fmt.Fprintf(&b, "%-8s %s\n", name, scan.Visible(text))
		}
	}
	line("cluster", "%s", now.Cluster)
	line("mode", "%s; enforcement is %s", now.Mode, now.Enforcement)
	line("permit", "%s", now.Permit)
	switches(now, how, line)
	budgetText(now.Budget, line)
	watch(now, line)
	if now.Refused != "" {
		line("config", "the newest was not taken over, an older one is in force: %s", now.Refused)
	}
	return b.String()
}

func budgetText(budget report.Budget, line func(name, format string, args ...any)) {
	if budget.PerHour == 0 && budget.PerDay == 0 {
		line("budget", "not known here")
		return
	}
	line("budget", "%d of %d acts used in this hour, %d of %d in a day", budget.UsedHour, budget.PerHour, budget.UsedDay, budget.PerDay)
	line("", "in a day at most %d in one namespace, %d of one owner, %d by one rule", budget.PerNamespace, budget.PerOwner, budget.PerRule)
	if budget.LastRound != "" {
		line("", "last round, %s: %s", exactly(budget.LastAt), budget.LastRound)
	}
}

// switches are the breakers and the freezes.
func switches(now report.Status, how string, line func(name, format string, args ...any)) {
	if len(now.Clusters) < 2 {
		line("breaker", "%s", breakerText(now.Breaker, how))
	} else {
		for _, c := range now.Clusters {
			line("breaker", "of cluster %s: %s", c.Name, breakerText(c.Breaker, " --cluster "+c.Name+how))
		}
	}
	if len(now.Freezes) == 0 {
		line("freeze", "none")
	}
	for _, f := range now.Freezes {
		pending := ""
		if f.Pending {
			pending = "; pending: what had begun is not over"
		}
		line("freeze", "%s, since %s by %s: %s%s", f.Scope, exactly(f.At), f.By, f.Reason, pending)
	}
}

// watch says how old the knowledge is; of several clusters, which of it.
func watch(now report.Status, line func(name, format string, args ...any)) {
	switch {
	case now.Stale:
		line("watch", "STALE: the cluster was last heard %s ago; nothing is enforced on old knowledge", now.WatchAge.Round(time.Second))
	case now.WatchAge > 0:
		line("watch", "fresh; the quietest kind was last heard %s ago", now.WatchAge.Round(time.Second))
	}
	for _, c := range now.Clusters {
		if c.Stale != "" {
			line("audit", "of cluster %s: %s, since %s", c.Name, c.Stale, exactly(c.Since))
		}
	}
}

func breakerText(b report.Breaker, flags string) string {
	switch {
	case b.Open && strings.Contains(b.Reason, "k8guard breaker close"): // the reason has its own way out, which another would contradict
		return fmt.Sprintf("OPEN since %s (%s)", exactly(b.At), b.Reason)
	case b.Open:
		return fmt.Sprintf("OPEN since %s (%s): nothing is acted on until a person says: k8guard breaker close%s --reason \"...\"", exactly(b.At), b.Reason, flags)
	case b.ClosedBy != "":
		at := ""
		if !b.ClosedAt.IsZero() {
			at = " at " + exactly(b.ClosedAt)
		}
		return fmt.Sprintf("closed%s by %s; it was open from %s (%s)", at, b.ClosedBy, exactly(b.At), b.Reason)
	case b.Reason != "":
		return fmt.Sprintf("closed; it was open last at %s (%s)", exactly(b.At), b.Reason)
	}
	return "closed"
}

// exactly is a time as every command writes it.
func exactly(t time.Time) string { return t.UTC().Format(time.RFC3339) }
