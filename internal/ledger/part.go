package ledger

import (
	"slices"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/docket"
)

// Part is the share of the ledger that a question is about; the zero Part is all of it. What
// is answered depends on nothing outside of it: no total, no Next, no length of a page.
type Part struct {
	// Cluster is a docket key's; empty means any.
	Cluster string
	// Namespaces are the homes of roots (see [Home]); nil means any, an empty list none. The
	// empty name is the home of what concerns no namespace.
	Namespaces []string
}

// Holds says whether the root of the docket is in the part.
func (p Part) Holds(key docket.Key, root v1.Root) bool {
	return (p.Cluster == "" || p.Cluster == key.Cluster) && (p.Namespaces == nil || slices.Contains(p.Namespaces, Home(root)))
}

// Home is the namespace that the root concerns: of a Namespace it is the root itself. It is
// empty for a root of no namespace.
func Home(root v1.Root) string {
	if root.Kind == "Namespace" && root.Namespace == "" {
		return root.Name
	}
	return root.Namespace
}

// Space is a home of roots in a cluster.
type Space struct {
	Cluster   string // a docket key's
	Namespace string // see [Home]
}
