// Package archtest holds the walls between the rooms of K8Guard, as a table, and checks
// that nobody broke through.
//
// Purpose: "discover and action meet only on the bus" stays true because a test says so.
//
// Concurrency: none; it runs in one test.
//
// Guarantees: what is found names the package, what it did, and why it may not.
//
// It will not: look into test files, or follow imports through other people's modules.
package archtest

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Package is one of our packages: what it imports, and what its files call.
type Package struct {
	Path    string
	Imports []string
	Calls   []Call
}

// Call is a call by selector: From is the import path when X is a package, else empty.
type Call struct{ From, Name, At string }

// Check returns one line for each hole in a wall, in order.
func Check(packages []Package, walls []Wall) []string {
	graph := map[string][]string{}
	for _, p := range packages {
		graph[p.Path] = p.Imports
	}
	var holes []string
	for _, p := range packages {
		for _, w := range walls {
			if !below(p.Path, w.In) || below(p.Path, w.Except) {
				continue
			}
			imports := p.Imports
			if w.Reach {
				imports = reach(graph, p.Path)
			}
			for _, i := range imports {
				if below(i, w.Forbidden) && !below(i, w.Allowed) {
					holes = append(holes, fmt.Sprintf("%s imports %s: %s", p.Path, i, w.Reason))
				}
			}
		}
		holes = append(holes, checkCalls(p)...)
	}
	slices.Sort(holes)
	return slices.Compact(holes)
}

// checkCalls forbids the clock to pure packages, and writes to a cluster to all but
// enforce and the leader Lease. The second is by name: in a package that imports a Kubernetes client, no method
// may be called as the client calls its writes, whatever it is called on.
func checkCalls(p Package) (holes []string) {
	pure := below(p.Path, ours("rule", "docket", "policy"))
	client := slices.ContainsFunc(p.Imports, func(i string) bool {
		return below(i, []string{"k8s.io/client-go/kubernetes", "k8s.io/client-go/dynamic", "k8s.io/client-go/metadata", "k8s.io/client-go/rest", "k8s.io/client-go/scale"})
	})
	for _, c := range p.Calls {
		if pure && c.From == "time" && slices.Contains([]string{"Now", "Since", "Until", "Sleep", "After", "Tick", "NewTimer", "NewTicker", "AfterFunc"}, c.Name) {
			holes = append(holes, fmt.Sprintf("%s calls time.%s at %s: rule, docket and policy read no clock", p.Path, c.Name, c.At))
		}
		if client && c.From == "" && !below(p.Path, ours("enforce")) && slices.Contains(writes(), c.Name) && !leaseOnly(p, c) && !reviewsOnly(p, c) {
			holes = append(holes, fmt.Sprintf("%s calls %s at %s: only enforce writes to a cluster", p.Path, c.Name, c.At))
		}
	}
	return holes
}

// leaseOnly says that c renews the leader Lease: it stands in cluster/lease.go, and that
// file asks the client for no other API than the Lease's.
func leaseOnly(p Package, c Call) bool {
	inFile := func(c Call) bool { return strings.HasPrefix(c.At, "lease.go:") }
	api := regexp.MustCompile(`V\d+((alpha|beta)\d+)?$`)
	return p.Path == internal+"cluster" && inFile(c) && (c.Name == "Update" || c.Name == "Create") &&
		!slices.ContainsFunc(p.Calls, func(c Call) bool {
			return inFile(c) && c.From == "" && api.MatchString(c.Name) && c.Name != "CoordinationV1"
		})
}

// reviewsOnly says that c asks for a review, which the API server answers and does not store:
// access asks the client for no other API than those two.
func reviewsOnly(p Package, c Call) bool {
	api := regexp.MustCompile(`V\d+((alpha|beta)\d+)?$`)
	return p.Path == internal+"access" && c.Name == "Create" && !slices.ContainsFunc(p.Calls, func(c Call) bool {
		return c.From == "" && api.MatchString(c.Name) && c.Name != "AuthenticationV1" && c.Name != "AuthorizationV1"
	})
}

func writes() []string {
	return []string{"Create", "Update", "UpdateStatus", "UpdateScale", "Patch", "Delete", "DeleteCollection",
		"Apply", "ApplyStatus", "ApplyScale", "Evict", "EvictV1", "EvictV1beta1", "Bind"}
}

func below(path string, roots []string) bool {
	return slices.ContainsFunc(roots, func(r string) bool {
		r = strings.TrimSuffix(r, "/")
		return path == r || strings.HasPrefix(path, r+"/")
	})
}

// reach is all that path imports, also through other packages of ours.
func reach(graph map[string][]string, path string) (all []string) {
	seen, todo := map[string]bool{}, graph[path]
	for len(todo) > 0 {
		next := todo[0]
		todo = todo[1:]
		if !seen[next] {
			seen[next] = true
			all, todo = append(all, next), append(slices.Clone(todo), graph[next]...)
		}
	}
	return all
}
