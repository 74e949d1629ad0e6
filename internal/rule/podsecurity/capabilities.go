package podsecurity

import (
	"fmt"
	"slices"
	"strings"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/entity"
	"github.com/k8guard/k8guard/internal/rule"
)

// CapabilitiesParams are the parameters of [Capabilities].
type CapabilitiesParams struct {
	// Allowed are names such as NET_BIND_SERVICE, in any case, with or without CAP_.
	Allowed []string
}

// Capabilities finds containers that add a capability which is not allowed. A name in
// Allowed that is no capability's form, or ALL, is an error.
func Capabilities(p CapabilitiesParams) (rule.Rule, error) {
	var allowed []string
	for _, written := range p.Allowed {
		name := capability(written)
		if name == "" || name == "ALL" || strings.ContainsFunc(name, func(r rune) bool { return r != '_' && (r < 'A' || r > 'Z') && (r < '0' || r > '9') }) {
			return rule.Rule{}, fmt.Errorf("rules.CAPABILITIES.allowed: %q is not one capability; write a name like NET_BIND_SERVICE", written)
		}
		allowed = append(allowed, name)
	}
	slices.Sort(allowed)
	return rule.Rule{
		Meta: rule.Meta{
			ID:       "CAPABILITIES",
			Title:    "A container adds a capability that is not allowed",
			Why:      "A capability is a piece of root's power: some of them open the node or its network to whoever gets into the container.",
			Remedy:   "Remove the capability from securityContext.capabilities.add, or ask the platform team to allow it.",
			Severity: rule.High, Category: rule.Security, Revision: 1,
			Keys:  []string{"rules.CAPABILITIES.allowed"},
			Kinds: entity.Workloads(), Params: strings.Join(allowed, " "),
		},
		Check: func(e entity.Entity, _ rule.Related) rule.Result { return checkCapabilities(e, allowed) },
	}, nil
}

func checkCapabilities(e entity.Entity, allowed []string) rule.Result {
	var result rule.Result
	for c := range e.Containers() {
		if c.Security == nil || c.Security.Capabilities == nil {
			continue
		}
		var added []string
		for _, written := range c.Security.Capabilities.Add {
			if name := capability(string(written)); !slices.Contains(allowed, name) {
				added = append(added, name)
			}
		}
		if len(added) == 0 {
			continue
		}
		slices.Sort(added)
		result.Violations = append(result.Violations, v1.Violation{
			Source: c.Name, Message: "the container adds capabilities that are not allowed",
			Path: c.Path + ".securityContext.capabilities.add", Evidence: strings.Join(slices.Compact(added), ", "),
		})
	}
	return result
}

// capability is the name as the kernel's list has it, without CAP_: runtimes take any case,
// with or without the prefix.
func capability(written string) string {
	return strings.TrimPrefix(strings.ToUpper(strings.TrimSpace(written)), "CAP_")
}
