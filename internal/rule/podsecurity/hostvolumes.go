package podsecurity

import (
	"fmt"
	"path"
	"strings"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/entity"
	"github.com/k8guard/k8guard/internal/rule"
)

// HostVolumesParams are the parameters of [HostVolumes].
type HostVolumesParams struct {
	// Allowed are folders of the node that may be mounted, with all below them.
	Allowed []string
	// AllowedReadOnly are folders that may be mounted if every mount of them is read-only.
	AllowedReadOnly []string
}

// HostVolumes finds volumes that are a path of the node. A path that is not absolute is an
// error.
func HostVolumes(p HostVolumesParams) (rule.Rule, error) {
	any, err := cleanPaths("allowed", p.Allowed)
	if err != nil {
		return rule.Rule{}, err
	}
	readOnly, err := cleanPaths("allowedReadOnly", p.AllowedReadOnly)
	if err != nil {
		return rule.Rule{}, err
	}
	return rule.Rule{
		Meta: rule.Meta{
			ID:       "HOST_VOLUMES",
			Title:    "A pod mounts a path of its node",
			Why:      "What is written there stays on the node and is shared with every other pod on it; some paths, such as sockets of the runtime, are the node itself.",
			Remedy:   "Use a PersistentVolumeClaim, an emptyDir or a ConfigMap in place of hostPath.",
			Severity: rule.High, Category: rule.Security, Revision: 1,
			Kinds:  entity.Workloads(),
			Keys:   []string{"rules.HOST_VOLUMES.allowed", "rules.HOST_VOLUMES.allowedReadOnly"},
			Params: strings.Join(any, " ") + "|" + strings.Join(readOnly, " "),
		},
		Check: func(e entity.Entity, _ rule.Related) rule.Result { return checkHostVolumes(e, any, readOnly) },
	}, nil
}

func checkHostVolumes(e entity.Entity, any, readOnly []string) rule.Result {
	var result rule.Result
	if e.Pod == nil {
		return result
	}
	for i, v := range e.Pod.Volumes {
		if v.HostPath == nil {
			continue
		}
		at := path.Clean("/" + v.HostPath.Path)
		var message string
		switch {
		case inside(at, any):
			continue
		case !inside(at, readOnly):
			message = "the volume is a path of the node"
		case !mountedReadOnly(e, v.Name):
			message = "the volume is a path of the node that may be mounted read-only, and a mount is not"
		default:
			continue
		}
		result.Violations = append(result.Violations, v1.Violation{
			Source: v.Name, Message: message, Path: fmt.Sprintf("%s.volumes[%d].hostPath.path", e.PodPath, i), Evidence: at,
		})
	}
	return result
}

// mountedReadOnly reports whether no container mounts the volume for writing.
func mountedReadOnly(e entity.Entity, volume string) bool {
	for c := range e.Containers() {
		for _, m := range c.Mounts {
			if m.Name == volume && !m.ReadOnly {
				return false
			}
		}
	}
	return true
}

func cleanPaths(key string, written []string) ([]string, error) {
	var out []string
	for _, w := range written {
		if !strings.HasPrefix(w, "/") {
			return nil, fmt.Errorf("rules.HOST_VOLUMES.%s: %q is not absolute; write a path like /var/log", key, w)
		}
		out = append(out, path.Clean(w))
	}
	return out, nil
}

// inside reports whether a cleaned path lies in one of the folders, by whole segments.
func inside(at string, folders []string) bool {
	for _, f := range folders {
		if at == f || f == "/" || strings.HasPrefix(at, f+"/") {
			return true
		}
	}
	return false
}
