// Package owner finds who is told of a case, with the evidence for it.
//
// Purpose: the resolver chain: the teams file, what the platform wrote on the Namespace
// object, the workload's own annotation, and at last the configured fallback.
//
// Concurrency: pure functions.
//
// Guarantees: only what the platform wrote is marked Platform; the fallback never is, so it
// never counts as a confirmation, and a workload's annotation only where the configuration
// says so. Addresses are parsed strictly: a malformed one is left out.
//
// It will not: read a file, or look anything up.
package owner

import (
	"slices"
	"strings"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/config"
)

// Resolve returns the owner who was named, or the fallback.
func Resolve(named v1.Owner, c config.Owners) v1.Owner {
	if len(named.Emails) > 0 {
		return named
	}
	var valid []string
	for _, address := range c.Fallback {
		one, _ := Addresses(address)
		valid = append(valid, one...)
	}
	return v1.Owner{Emails: valid, From: "the configured fallback (owners.fallback)"}
}

// Reachable leaves out the addresses outside the domains that mail may go to: what cannot
// be told must not hold a case back for ever. No domains leave the owner as it is.
func Reachable(o v1.Owner, domains []string) v1.Owner {
	if len(domains) == 0 {
		return o
	}
	var kept []string
	for _, address := range o.Emails {
		_, domain, _ := strings.Cut(address, "@")
		if slices.ContainsFunc(domains, func(d string) bool { return strings.EqualFold(d, domain) }) {
			kept = append(kept, address)
		}
	}
	if len(kept) == 0 {
		return v1.Owner{}
	}
	o.Emails = kept
	return o
}
