// Package network holds the rules about how traffic comes in.
//
// Purpose: one file per rule; each is a constructor of a [rule.Rule].
//
// Concurrency: the rules hold no state that changes.
//
// Guarantees: host names are compared without regard to case, on label borders.
//
// It will not: resolve a name.
package network

import (
	"fmt"
	"strings"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/entity"
	"github.com/k8guard/k8guard/internal/rule"
)

// AnyHost is the source of a violation that concerns no named host.
const AnyHost = "(any host)"

// serverAlias gives an ingress further hosts where ingress-nginx serves it.
const serverAlias = "nginx.ingress.kubernetes.io/server-alias"

// IngressHostParams are the parameters of [IngressHost].
type IngressHostParams struct {
	// ApprovedSuffixes are domains; empty approves every domain.
	ApprovedSuffixes []string
	// MustContain are texts that every host must hold; MustNotContain such that none may.
	// Case does not count, as in DNS.
	MustContain, MustNotContain []string
}

// IngressHost finds ingresses that take more hosts than their own. A suffix that is no
// domain is an error that names it.
func IngressHost(p IngressHostParams) (rule.Rule, error) {
	suffixes, err := parseSuffixes(p.ApprovedSuffixes)
	if err != nil {
		return rule.Rule{}, err
	}
	hosts := approved{suffixes: suffixes, must: lower(p.MustContain), mustNot: lower(p.MustNotContain)}
	return rule.Rule{
		Meta: rule.Meta{
			ID:       "INGRESS_HOST_INVALID",
			Title:    "An ingress takes a host that it should not",
			Why:      "A wildcard or an empty host catches the traffic of other teams, and a host outside the approved domains was given to nobody.",
			Remedy:   rule.Remedy("Name each host in full, under an approved suffix, and route by rules in place of a default backend.", suffixes),
			Severity: rule.High, Category: rule.Security, Revision: 2,
			Kinds:  []entity.Kind{entity.Ingress},
			Keys:   []string{"rules.INGRESS_HOST_INVALID.approvedSuffixes", "rules.INGRESS_HOST_INVALID.mustContain", "rules.INGRESS_HOST_INVALID.mustNotContain"},
			Params: strings.Join(suffixes, " ") + "|" + strings.Join(hosts.must, " ") + "|" + strings.Join(hosts.mustNot, " "),
		},
		Check: func(e entity.Entity, _ rule.Related) rule.Result { return checkHosts(e, hosts) },
	}, nil
}

// approved is what a host is held to.
type approved struct{ suffixes, must, mustNot []string }

func lower(texts []string) []string {
	out := make([]string, 0, len(texts))
	for _, t := range texts {
		out = append(out, strings.ToLower(t))
	}
	return out
}

func checkHosts(e entity.Entity, hosts approved) rule.Result {
	var result rule.Result
	if e.Ingress == nil {
		return result
	}
	add := func(host, path, message string) {
		if message == "" {
			return
		}
		source := host
		if source == "" {
			source = AnyHost
		}
		result.Violations = append(result.Violations,
			v1.Violation{Source: source, Message: message, Path: path, Evidence: host})
	}
	if e.Ingress.DefaultBackend != nil {
		add("", "spec.defaultBackend", "the default backend takes every host")
	}
	for i, r := range e.Ingress.Rules {
		add(r.Host, fmt.Sprintf("spec.rules[%d].host", i), hosts.judge(r.Host))
	}
	for i, t := range e.Ingress.TLS {
		for j, host := range t.Hosts {
			add(host, fmt.Sprintf("spec.tls[%d].hosts[%d]", i, j), hosts.judge(host))
		}
	}
	for alias := range strings.SplitSeq(e.Annotations[serverAlias], ",") {
		if alias = strings.TrimSpace(alias); alias != "" {
			add(alias, "metadata.annotations["+serverAlias+"]", hosts.judge(alias))
		}
	}
	return result
}

// judge says what is wrong with the host, or "".
func (a approved) judge(host string) string {
	plain := strings.ToLower(strings.TrimSuffix(host, "."))
	switch {
	case host == "":
		return "the empty host takes every host"
	case strings.Contains(host, "*"):
		return "the host is a wildcard"
	case strings.HasPrefix(host, "~"):
		return "the host is a pattern"
	case len(a.suffixes) > 0 && !under(plain, a.suffixes):
		return "the host is under no approved suffix"
	}
	for _, text := range a.must {
		if !strings.Contains(plain, text) {
			return fmt.Sprintf("the host does not contain %q", text)
		}
	}
	for _, text := range a.mustNot {
		if strings.Contains(plain, text) {
			return fmt.Sprintf("the host contains %q", text)
		}
	}
	return ""
}

func under(host string, suffixes []string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	for _, s := range suffixes {
		if host == s || strings.HasSuffix(host, "."+s) {
			return true
		}
	}
	return false
}

// parseSuffixes accepts "apps.example", ".apps.example" and "*.apps.example" as the same.
func parseSuffixes(written []string) ([]string, error) {
	var out []string
	for _, w := range written {
		s := strings.ToLower(strings.TrimPrefix(strings.TrimPrefix(w, "*"), "."))
		bad := strings.ContainsFunc(s, func(r rune) bool {
			return r != '.' && r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z')
		})
		if bad || s == "" || strings.Contains("."+s+".", "..") {
			return nil, fmt.Errorf("rules.INGRESS_HOST_INVALID.approvedSuffixes: %q is no domain; write one like apps.example.com", w)
		}
		out = append(out, s)
	}
	return out, nil
}
