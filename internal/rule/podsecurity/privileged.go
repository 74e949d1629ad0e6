// Package podsecurity holds the rules about what a pod may do to its node.
//
// Purpose: one file per rule; each is a constructor of a [rule.Rule].
//
// Concurrency: the rules hold no state that changes.
//
// Guarantees: every container is looked at: init, sidecar, main and ephemeral.
//
// It will not: look anything up outside the entity.
package podsecurity

import (
	corev1 "k8s.io/api/core/v1"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/entity"
	"github.com/k8guard/k8guard/internal/rule"
)

// Privileged finds containers that are the node's root in all but name.
func Privileged() rule.Rule {
	return rule.Rule{
		Meta: rule.Meta{
			ID:       "PRIVILEGED",
			Title:    "A container runs privileged",
			Why:      "A privileged container, or a Windows host process, has the whole node: every other team's pods, secrets and disks on it.",
			Remedy:   "Remove privileged and hostProcess from the container; add the one capability that it needs, if any.",
			Severity: rule.Critical, Category: rule.Security, Revision: 1,
			Kinds: []entity.Kind{entity.Deployment, entity.Pod},
		},
		Check: privileged,
	}
}

func privileged(e entity.Entity, _ rule.Related) rule.Result {
	var result rule.Result
	if e.Pod == nil {
		return result
	}
	hostPod := e.Pod.SecurityContext != nil && hostProcess(e.Pod.SecurityContext.WindowsOptions)
	for c := range e.Containers() {
		s := c.Security
		if s != nil && s.Privileged != nil && *s.Privileged {
			result.Violations = append(result.Violations, v1.Violation{
				Source: c.Name, Message: "the container is privileged",
				Path: c.Path + ".securityContext.privileged", Evidence: "privileged: true",
			})
		}
		switch {
		case s != nil && s.WindowsOptions != nil && s.WindowsOptions.HostProcess != nil:
			if *s.WindowsOptions.HostProcess {
				result.Violations = append(result.Violations, hostViolation(c.Name, c.Path))
			}
		case hostPod:
			result.Violations = append(result.Violations, hostViolation(c.Name, e.PodPath))
		}
	}
	return result
}

func hostViolation(container, path string) v1.Violation {
	return v1.Violation{
		Source: container, Message: "the container is a process of the Windows host",
		Path: path + ".securityContext.windowsOptions.hostProcess", Evidence: "hostProcess: true",
	}
}

func hostProcess(w *corev1.WindowsSecurityContextOptions) bool {
	return w != nil && w.HostProcess != nil && *w.HostProcess
}
