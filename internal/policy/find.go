package policy

import (
	"slices"
	"time"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/docket"
)

// Action returns the hard action for a kind of root, or "" where there is none.
func Action(kind string) string {
	switch kind {
	case "Deployment", "StatefulSet", "ReplicaSet":
		return docket.ScaleToZero
	case "Job", "CronJob":
		return docket.Suspend
	case "Ingress":
		return docket.DeleteIngress
	}
	return ""
}

// MaxTries is the most warnings of a case that are tried, confirmed or not.
func MaxTries(l config.Ladder) int {
	if l.MaxTries > 0 {
		return l.MaxTries
	}
	return l.Warnings + 2
}

// LastWait is the time between the last warning and the act.
func LastWait(l config.Ladder) time.Duration {
	if l.LastWait > 0 {
		return l.LastWait
	}
	return l.Wait
}

// Find returns the first policy that matches; after the last, def.
func Find(policies []config.Policy, def config.Policy, d docket.Docket, c docket.Case) config.Policy {
	for _, p := range policies {
		if Matches(p.Match, d, c) {
			return p
		}
	}
	return def
}

// Matches reports whether a case is selected.
func Matches(m config.Match, d docket.Docket, c docket.Case) bool {
	in := func(list []string, v string) bool { return len(list) == 0 || slices.Contains(list, v) }
	return in(m.Rules, c.Rule) && in(m.Namespaces, d.Root.Namespace) &&
		in(m.Kinds, d.Root.Kind) && in(m.Severities, c.Severity)
}

// FindExemption returns the first exemption that covers the case and has not expired.
func FindExemption(list []config.Exemption, d docket.Docket, c docket.Case, now time.Time) *config.Exemption {
	for i := range list {
		x := &list[i]
		if now.Before(x.Expires) && Matches(x.Match, d, c) &&
			(x.Name == "" || x.Name == d.Root.Name) && (x.Source == "" || x.Source == c.Source) {
			return x
		}
	}
	return nil
}

// BuiltIn is the policy after the last: it warns by the default ladder and never acts.
func BuiltIn() config.Policy {
	return config.Policy{Name: "built-in", Ladder: config.DefaultLadder()}
}
