// Package all is the one list of the rules that K8Guard has.
//
// Purpose: a new rule is one line here.
//
// Concurrency: no state.
//
// Guarantees: the order is fixed; a disabled rule is left out; an unknown name is an error.
//
// It will not: find rules by itself.
package all

import (
	"fmt"
	"slices"
	"strings"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/rule"
	"github.com/k8guard/k8guard/internal/rule/availability"
	"github.com/k8guard/k8guard/internal/rule/image"
	"github.com/k8guard/k8guard/internal/rule/namespace"
	"github.com/k8guard/k8guard/internal/rule/network"
	"github.com/k8guard/k8guard/internal/rule/podsecurity"
	"github.com/k8guard/k8guard/internal/rule/required"
)

// Rules returns every rule that is not disabled, with its parameters. A bad parameter, or
// a name in disabled that no rule has, is an error that says what to write instead.
func Rules(c config.Rules, owners config.Owners) ([]rule.Rule, error) {
	repo, err := image.Repo(image.RepoParams{Approved: c.ImageRepo.Approved})
	if err != nil {
		return nil, err
	}
	host, err := network.IngressHost(network.IngressHostParams{ApprovedSuffixes: c.IngressHosts.ApprovedSuffixes,
		MustContain: c.IngressHosts.MustContain, MustNotContain: c.IngressHosts.MustNotContain})
	if err != nil {
		return nil, err
	}
	capabilities, err := podsecurity.Capabilities(podsecurity.CapabilitiesParams{Allowed: c.Capabilities.Allowed})
	if err != nil {
		return nil, err
	}
	volumes, err := podsecurity.HostVolumes(podsecurity.HostVolumesParams{Allowed: c.HostVolumes.Allowed, AllowedReadOnly: c.HostVolumes.AllowedReadOnly})
	if err != nil {
		return nil, err
	}
	privileged, err := podsecurity.Privileged(podsecurity.PrivilegedParams{Root: c.Privileged.Root})
	if err != nil {
		return nil, err
	}
	metadata, err := required.Rules(required.Params{Annotations: c.RequiredAnnotations, Labels: c.RequiredLabels})
	if err != nil {
		return nil, err
	}
	entities, err := required.Entities(c.RequiredEntities)
	if err != nil {
		return nil, err
	}
	size, err := image.Size(image.SizeParams{Limit: c.ImageSize.Limit})
	if err != nil {
		return nil, err
	}
	return enabled(c.Disabled, slices.Concat([]rule.Rule{
		capabilities,
		volumes,
		repo,
		size,
		host,
		namespace.Owner(namespace.OwnerParams{Annotation: owners.EmailAnnotation}),
		privileged,
		availability.SingleReplica(),
	}, entities, metadata)...)
}

func enabled(disabled []string, rules ...rule.Rule) ([]rule.Rule, error) {
	var ids []string
	for _, r := range rules {
		ids = append(ids, r.Meta.ID)
	}
	for _, d := range disabled {
		if !slices.Contains(ids, d) {
			return nil, fmt.Errorf("rules.disabled: no rule is called %q; the rules are %s", d, strings.Join(ids, ", "))
		}
	}
	return slices.DeleteFunc(rules, func(r rule.Rule) bool { return slices.Contains(disabled, r.Meta.ID) }), nil
}
