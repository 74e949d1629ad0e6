// Package owner finds who is told of a case, with the evidence for it.
//
// Purpose: the resolver chain: what the platform wrote on the Namespace object, else the
// configured fallback.
//
// Concurrency: pure functions.
//
// Guarantees: only what the platform wrote is marked Platform; the fallback never is, so it
// never counts as a confirmation. Addresses are parsed strictly: a malformed one is left out.
//
// It will not: read a workload's own annotations, or look anything up.
package owner

import (
	"fmt"
	"slices"
	"strings"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/config"
)

// FromNamespace reads the owner off a Namespace's annotations. Without a valid address the
// owner is empty.
func FromNamespace(name string, annotations map[string]string, key string) v1.Owner {
	valid, _ := Addresses(annotations[key])
	if len(valid) == 0 {
		return v1.Owner{}
	}
	return v1.Owner{Emails: valid, Platform: true, From: fmt.Sprintf("Namespace %s, annotation %s", name, key)}
}

// Resolve returns the owner whom the platform named, or the fallback.
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
