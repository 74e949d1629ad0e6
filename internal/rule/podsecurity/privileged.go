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
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/entity"
	"github.com/k8guard/k8guard/internal/rule"
)

// What [Privileged] makes of a container's user.
const (
	RootOff       = "off"        // the user is not looked at
	RootExplicit  = "explicit"   // user 0 is a violation, an unset user is unknown
	RootMustProve = "must-prove" // a user that is not shown to be another than 0 is a violation
)

// PrivilegedParams are the parameters of [Privileged].
type PrivilegedParams struct {
	// Root is one of the Root constants; empty means RootOff.
	Root string
}

// Privileged finds containers that are the node's root in all but name and, if asked, those
// that run as root inside.
func Privileged(p PrivilegedParams) (rule.Rule, error) {
	switch p.Root {
	case "":
		p.Root = RootOff
	case RootOff, RootExplicit, RootMustProve:
	default:
		return rule.Rule{}, fmt.Errorf("rules.PRIVILEGED.root: %q; write %s, %s or %s", p.Root, RootOff, RootExplicit, RootMustProve)
	}
	return rule.Rule{
		Meta: rule.Meta{
			ID:       "PRIVILEGED",
			Title:    "A container runs privileged",
			Why:      "A privileged container, or a Windows host process, has the whole node: every other team's pods, secrets and disks on it.",
			Remedy:   "Remove privileged and hostProcess from the container; add the one capability that it needs, if any.",
			Severity: rule.Critical, Category: rule.Security, Revision: 2,
			Keys:  []string{"rules.PRIVILEGED.root"},
			Kinds: entity.Workloads(), Params: p.Root,
		},
		Check: func(e entity.Entity, _ rule.Related) rule.Result {
			result := privileged(e)
			if p.Root != RootOff {
				result = withRoot(e, result, p.Root == RootMustProve)
			}
			return result
		},
	}, nil
}

func privileged(e entity.Entity) rule.Result {
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

// withRoot adds what the containers' users say. Windows has no user 0.
func withRoot(e entity.Entity, result rule.Result, mustProve bool) rule.Result {
	if e.Pod == nil || e.Pod.OS != nil && e.Pod.OS.Name == corev1.Windows {
		return result
	}
	for c := range e.Containers() {
		user, nonRoot := userOf(e.Pod.SecurityContext, c.Security)
		v := v1.Violation{Source: c.Name, Path: c.Path + ".securityContext.runAsUser"}
		switch {
		case user != nil && *user == 0:
			v.Message, v.Evidence = "the container runs as root", "runAsUser: 0"
		case user != nil || nonRoot:
			continue
		case mustProve:
			v.Message, v.Evidence = "nothing says that the container runs as another user than root", "runAsUser and runAsNonRoot unset"
		default:
			if result.Unknown == "" {
				result.Unknown = fmt.Sprintf("the image decides as whom container %s runs: set runAsNonRoot or runAsUser", c.Name)
			}
			continue
		}
		result.Violations = append(result.Violations, v)
	}
	return result
}

// userOf returns what is in force for a container: its own word, else the pod's.
func userOf(pod *corev1.PodSecurityContext, own *corev1.SecurityContext) (user *int64, nonRoot bool) {
	if pod != nil {
		user, nonRoot = pod.RunAsUser, ptr.Deref(pod.RunAsNonRoot, false)
	}
	if own != nil {
		if own.RunAsUser != nil {
			user = own.RunAsUser
		}
		nonRoot = ptr.Deref(own.RunAsNonRoot, nonRoot)
	}
	return user, nonRoot
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
