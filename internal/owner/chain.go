package owner

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/config"
)

// Subject is what an owner is looked for: a root, its namespace, and what they say of one.
type Subject struct {
	Namespace   string
	Labels      map[string]string // of the Namespace object
	Annotations map[string]string // of the Namespace object
	Root        string            // as people call it; empty for the namespace itself
	Workload    map[string]string // the annotations of the root; nil for the namespace itself
}

// Chain is the resolver: the teams file, the Namespace's annotation, the workload's own. The
// fallback comes after it: see [Resolve].
type Chain struct {
	Config  config.Owners
	Teams   []config.Team
	Domains []string // that mail may go to; none allows all
}

// Link is one step of the chain: who is named there, and how that is known.
type Link struct {
	v1.Owner
	Malformed []string // addresses that are not understood
	Outside   []string // addresses outside the domains that mail may go to
}

// Named returns who is told of a root, and of what single rules find in it where that is
// somebody else. An owner without addresses means nobody.
func (c Chain) Named(s Subject) (v1.Owner, map[string]v1.Owner) {
	all := first(c.Links(s, ""))
	var by map[string]v1.Owner
	for _, t := range c.Teams {
		if len(t.Rules) == 0 || !owns(t, s) {
			continue
		}
		who := c.team(t).Owner
		for _, rule := range t.Rules {
			if _, taken := by[rule]; !taken && len(who.Emails) > 0 {
				if by == nil {
					by = map[string]v1.Owner{}
				}
				by[rule] = who
			}
		}
	}
	maps.DeleteFunc(by, func(_ string, who v1.Owner) bool { return who.Key() == all.Key() })
	if len(by) == 0 {
		return all, nil
	}
	return all, by
}

func first(links []Link) v1.Owner {
	for _, l := range links {
		if len(l.Emails) > 0 {
			return l.Owner
		}
	}
	return v1.Owner{}
}

// Links returns every step that was taken, in order; also those that name nobody. With a rule,
// the teams that own what it finds come first; without one they are left out.
func (c Chain) Links(s Subject, rule string) []Link {
	var ruled, all []Link
	for _, t := range c.Teams {
		switch {
		case !owns(t, s):
		case len(t.Rules) == 0:
			all = append(all, c.team(t))
		case slices.Contains(t.Rules, rule):
			ruled = append(ruled, c.team(t))
		}
	}
	all = append(ruled, all...)
	key := c.Config.EmailAnnotation
	platform := c.annotated(s.Annotations, key, fmt.Sprintf("Namespace %s, annotation %s", s.Namespace, key), true)
	platform.Chat = ChatNames(s.Annotations[c.Config.ChatAnnotation])
	all = append(all, platform)
	if key := c.Config.WorkloadAnnotation; key != "" && s.Workload != nil {
		all = append(all, c.annotated(s.Workload, key, fmt.Sprintf("%s, its own annotation %s", s.Root, key), c.Config.WorkloadCounts))
	}
	return all
}

func (c Chain) team(t config.Team) Link { return c.link(t.Emails, "teams file, team "+t.Name, true) }

func owns(t config.Team, s Subject) bool {
	if slices.Contains(t.Namespaces, s.Namespace) || slices.Contains(t.Namespaces, "*") {
		return true
	}
	return slices.ContainsFunc(t.Labels, func(label string) bool {
		name, value, _ := strings.Cut(label, "=")
		return s.Labels[name] == value && value != ""
	})
}

func (c Chain) annotated(annotations map[string]string, key, from string, platform bool) Link {
	valid, malformed := Addresses(annotations[key])
	link := c.link(valid, from, platform)
	link.Malformed = malformed
	return link
}

// link leaves out what mail may not go to: it would hold a case back for ever.
func (c Chain) link(addresses []string, from string, platform bool) Link {
	named := v1.Owner{From: from, Platform: platform}
	for _, a := range addresses {
		valid, _ := Addresses(a)
		named.Emails = append(named.Emails, valid...)
	}
	slices.Sort(named.Emails)
	named.Emails = slices.Compact(named.Emails)
	kept := Reachable(named, c.Domains)
	out := Link{Owner: named}
	out.Emails = kept.Emails
	for _, a := range named.Emails {
		if !slices.Contains(kept.Emails, a) {
			out.Outside = append(out.Outside, a)
		}
	}
	return out
}
