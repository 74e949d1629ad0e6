package cli

import (
	"maps"
	"slices"
	"strings"

	"github.com/k8guard/k8guard/internal/cluster"
	"github.com/k8guard/k8guard/internal/entity"
	"github.com/k8guard/k8guard/internal/manifest"
)

// missing says that namespaces could be listed, and this one is none of them.
func missing(seen cluster.Snapshot, namespace string) bool {
	_, unread := seen.Unread[entity.Namespace]
	return !unread && !slices.ContainsFunc(seen.Entities, func(e entity.Entity) bool { return e.Kind == entity.Namespace && e.Name == namespace })
}

// nothing says what was read where nothing could be judged: a pipe whose first command
// failed, or a folder of something else, must not turn a build green.
func nothing(from string, set manifest.Set) error {
	read := "no object was read; did the command before the pipe fail?"
	if len(set.Skipped) > 0 || len(set.Related) > 0 {
		counts := maps.Clone(set.Skipped)
		for _, e := range set.Related {
			counts[string(e.Kind)]++
		}
		var all []string
		for _, kind := range slices.Sorted(maps.Keys(counts)) {
			all = append(all, manifest.Skipped(kind, counts[kind]))
		}
		read = "no rule judges what was read: " + strings.Join(all, ", ") + ";"
	}
	return failure("nothing to judge in %s: %s -R also reads the folders below, -k builds a kustomization, --chart a chart", from, read)
}
