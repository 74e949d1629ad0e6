package config

import (
	"fmt"
	"net/mail"
	"slices"
	"strings"
	"time"
)

func (c *checker) email(e Email) {
	c.oneOf("notify.email.tls", e.TLS, "starttls", "tls", "none")
	c.bad(e.Port < 1 || e.Port > 65535, "notify.email.port", "is not a port; write a number from 1 to 65535")
	c.bad(e.TLS == "none" && (!e.Password.Empty() || e.PasswordFile != ""), "notify.email.tls",
		"would send the password in clear; write starttls or tls")
	if e.Host == "" {
		c.bad(e.From != "" || len(e.Domains) > 0, "notify.email.host",
			"is missing while from or domains is set; write the mail server's name")
		return
	}
	_, err := mail.ParseAddress(e.From)
	c.bad(err != nil, "notify.email.from", "is not an address; write the sender's, such as k8guard@example.com")
	c.bad(len(e.Domains) == 0, "notify.email.domains", "is missing; list the only domains that may receive mail")
}

func (c *checker) enforce(cfg Config) {
	e := cfg.Enforce
	c.oneOf("enforce.mode", e.Mode, ModeDryRun, ModeSafe, ModeEnforce)
	c.bad(e.Mode == ModeEnforce && cfg.Cluster.ActionKubeconfig == "", "enforce.mode",
		"needs cluster.actionKubeconfig; write there the path of a kubeconfig of another user than discover's, or here safe")
	c.positive("enforce.minimumAge", e.MinimumAge)
	c.positive("enforce.coolOff", e.CoolOff)
	c.bad(e.Permit == "", "enforce.permit", "is empty; write k8guard-permit")
	c.positive("enforce.budget.round", e.Budget.Round)
	c.atLeast("enforce.budget.perHour", e.Budget.PerHour, 0)
	c.atLeast("enforce.budget.perDay", e.Budget.PerDay, 0)
	c.atLeast("enforce.budget.perNamespacePerDay", e.Budget.PerNamespace, 0)
	c.atLeast("enforce.budget.perOwnerPerDay", e.Budget.PerOwner, 0)
	c.atLeast("enforce.budget.perRulePerDay", e.Budget.PerRule, 0)
	c.bad(e.Budget.Percent < 0 || e.Budget.Percent > 100, "enforce.budget.percent", "is out of range; write a number from 0 to 100")
	c.atLeast("enforce.budget.floor", e.Budget.Floor, 0)
	c.atLeast("enforce.breaker.undosPerHour", e.Breaker.UndosPerHour, 1)
	c.positive("enforce.breaker.clockSkew", e.Breaker.ClockSkew)
	c.atLeast("enforce.breaker.errors", e.Breaker.Errors, 1)
	c.bad(e.Breaker.SharePoints < 0 || e.Breaker.SharePoints > 100, "enforce.breaker.sharePoints", "must be from 0 to 100; 0 does not look")
	c.bad(e.Breaker.Stale < 0, "enforce.breaker.stale", "must not be below 0; 0 does not look")
	for i, w := range e.Protect.Workloads {
		namespace, name, ok := strings.Cut(w, "/")
		c.bad(!ok || namespace == "" || name == "" || strings.Contains(name, "/"),
			fmt.Sprintf("enforce.protect.workloads[%d]", i), "is not namespace/name; write for example shop/checkout")
	}
}

// Warnings names settings that are legal and probably not meant.
func Warnings(c Config) []Warning {
	all := slices.Concat(warnBus(c.Bus), warnLedger(c.Ledger), warnCache(c.Cache), warnChat(c.Notify))
	if c.Enforce.Mode == ModeEnforce && c.Enforce.MinimumAge < time.Hour {
		all = append(all, Warning{"enforce.minimumAge", "is below an hour while enforcement is on: owners have little time"})
	}
	for i, p := range c.Policies {
		key := fmt.Sprintf("policies[%d].ladder.", i)
		if c.Notify.Gap > p.Ladder.Wait {
			all = append(all, Warning{key + "wait", "is shorter than notify.gap: warnings will come later than it says"})
		}
		const hasty = "is below a minute: nobody can answer that fast"
		if p.Ladder.Wait < time.Minute {
			all = append(all, Warning{key + "wait", hasty})
		}
		if p.Ladder.LastWait > 0 && p.Ladder.LastWait < time.Minute {
			all = append(all, Warning{key + "lastWait", hasty})
		}
	}
	return all
}
