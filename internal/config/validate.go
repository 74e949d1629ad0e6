package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

type problem struct{ key, what string }

type checker struct{ found []problem }

// minRetention is well above the day within which what was resolved may come back with its
// warnings.
const minRetention = 48 * time.Hour

func (c *checker) bad(when bool, key, what string) {
	if when {
		c.found = append(c.found, problem{key, what})
	}
}

func (c *checker) oneOf(key, value string, allowed ...string) {
	c.bad(!slices.Contains(allowed, value), key, "is not known; write one of "+strings.Join(allowed, ", "))
}

func (c *checker) positive(key string, d time.Duration) {
	c.bad(d <= 0, key, "is not above zero; write a duration such as 90s, 5m or 24h")
}

func (c *checker) atLeast(key string, n, least int) {
	c.bad(n < least, key, fmt.Sprintf("is too small; write a number of at least %d", least))
}

// Validate returns every mistake in c, joined. Rules are the known rule ids; nil means
// that any may be named.
func Validate(c Config, rules []string) error {
	var errs []error
	for _, p := range problems(c, rules) {
		errs = append(errs, errors.New(p.key+": "+p.what))
	}
	return errors.Join(errs...)
}

func problems(cfg Config, rules []string) []problem {
	c := &checker{}
	c.bad(cfg.Cluster.Namespace == "", "cluster.namespace", "is empty; write K8Guard's own namespace")
	c.bad(cfg.Data.Dir == "", "data.dir", "is empty; write a folder that K8Guard may write")
	c.bad(cfg.Data.Retention != 0 && cfg.Data.Retention < minRetention, "data.retention",
		"is "+cfg.Data.Retention.String()+"; write 48h or more, or 0s to keep everything")
	c.ledger(cfg.Ledger)
	c.cache(cfg.Cache)
	c.positive("discover.resync", cfg.Discover.Resync)
	c.rules("rules.disabled", cfg.Rules.Disabled, rules)
	c.policies(cfg.Policies, rules)
	c.bad(cfg.Owners.EmailAnnotation == "", "owners.emailAnnotation", "is empty; write team/email-ids")
	c.bad(cfg.Owners.WorkloadCounts && cfg.Owners.WorkloadAnnotation == "", "owners.workloadCounts",
		"counts what is not read; name owners.workloadAnnotation, or leave it false")
	c.positive("notify.gather", cfg.Notify.Gather)
	c.positive("notify.gap", cfg.Notify.Gap)
	c.email(cfg.Notify.Email)
	c.chat(cfg.Notify)
	c.enforce(cfg)
	c.bus(cfg.Bus)
	c.clusters(cfg.Clusters)
	c.exemptions(cfg.Exemptions, rules)
	c.report(cfg.Report)
	c.oneOf("log.level", cfg.Log.Level, "debug", "info", "warn", "error")
	c.oneOf("log.format", cfg.Log.Format, "text", "json")
	return c.found
}

func (c *checker) rules(key string, named, known []string) {
	for i, id := range named {
		c.bad(known != nil && !slices.Contains(known, id), fmt.Sprintf("%s[%d]", key, i),
			"there is no such rule; "+Suggest(id, known))
	}
}

func (c *checker) match(key string, m Match, known []string) {
	c.rules(key+".rules", m.Rules, known)
	for i, s := range m.Severities {
		c.oneOf(fmt.Sprintf("%s.severities[%d]", key, i), s, "critical", "high", "medium", "low")
	}
	for i, k := range m.Kinds {
		c.oneOf(fmt.Sprintf("%s.kinds[%d]", key, i), k, "Namespace", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet",
			"Job", "CronJob", "Ingress", "Pod")
	}
}

func (c *checker) policies(policies []Policy, known []string) {
	names := map[string]bool{}
	for i, p := range policies {
		key := fmt.Sprintf("policies[%d]", i)
		c.bad(p.Name == "", key+".name", "is empty; give each policy a name")
		c.bad(p.Name != "" && names[p.Name], key+".name", "is taken by an earlier policy; give each its own")
		names[p.Name] = true
		c.match(key+".match", p.Match, known)
		c.positive(key+".ladder.standing", p.Ladder.Standing)
		c.positive(key+".ladder.wait", p.Ladder.Wait)
		c.bad(p.Ladder.LastWait < 0, key+".ladder.lastWait", "is below zero; write a duration, or 0s for the same as wait")
		c.atLeast(key+".ladder.warnings", p.Ladder.Warnings, 1)
		c.bad(p.Ladder.AckPauses < 0 || p.Ladder.AckPauses > 30*24*time.Hour, key+".ladder.ackPauses",
			"is below zero or above 720h; write a duration up to 720h, or 0s for no pause")
		c.bad(p.Ladder.MaxTries != 0 && p.Ladder.MaxTries < p.Ladder.Warnings, key+".ladder.maxTries",
			"is less than warnings; write at least as many, or 0 for warnings + 2")
	}
}

func (c *checker) exemptions(all []Exemption, known []string) {
	for i, e := range all {
		key := fmt.Sprintf("exemptions[%d]", i)
		c.match(key+".match", e.Match, known)
		c.bad(strings.TrimSpace(e.Reason) == "", key+".reason", "is missing; write why this is permitted")
		c.bad(e.Expires.IsZero(), key+".expires", "is missing; write a time such as 2027-01-31T00:00:00Z")
	}
}
