// Package rule says what a rule is and runs rules over entities.
//
// Purpose: one engine for every entry: the watch, manifests in CI, and the last look
// before an act. A rule is a value: metadata for people, and a pure function.
//
// Concurrency: a [Rule] and an [Engine] hold no state that changes; use them from any
// number of goroutines.
//
// Guarantees: [Engine.Judge] never panics out (a rule that panics says "unknown", with the
// panic as reason) and gives the same verdicts for the same input.
//
// It will not: do input or output, read a clock, hold a Kubernetes client, or decide what
// follows from a violation.
package rule

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/entity"
)

// Severity ranks how bad a violation is.
type Severity string

// The severities, worst first.
const (
	Critical Severity = "critical"
	High     Severity = "high"
	Medium   Severity = "medium"
	Low      Severity = "low"
)

// Category groups rules by what they protect. Only rules of Security and Ownership may act
// unless a policy names them.
type Category string

// The categories of rules.
const (
	Security     Category = "security"
	Availability Category = "availability"
	Efficiency   Category = "efficiency"
	Ownership    Category = "ownership"
	Hygiene      Category = "hygiene"
)

// ActsUnnamed reports whether a policy may act on rules of the category without naming them:
// taking down what only lacks a second replica, or is large, does more harm than it.
func (c Category) ActsUnnamed() bool { return c == Security || c == Ownership }

// Meta is what people read about a rule, and what the engine needs to run it.
type Meta struct {
	ID       string // as users know it: "IMAGE_REPO"
	Title    string // one line, no full stop
	Why      string // why it matters, a sentence or two
	Remedy   string // what the owner does about it, as an instruction
	Severity Severity
	Category Category
	Kinds    []entity.Kind // the kinds it judges
	// Reads are the kinds that it looks up in Related. Such a rule reads of its subject what
	// [entity.Entity.Slim] keeps, and is judged again whenever one of them changes.
	Reads    []entity.Kind
	Revision int    // raised when the code changes what it finds
	Params   string // its parameters, as people read them; part of the version
	// Keys are the keys of the configuration that its parameters come from.
	Keys []string
}

// Version names the revision and the parameters: equal versions judge alike.
func (m Meta) Version() string {
	if m.Params == "" {
		return fmt.Sprintf("%d", m.Revision)
	}
	sum := sha256.Sum256([]byte(m.Params))
	return fmt.Sprintf("%d-%s", m.Revision, hex.EncodeToString(sum[:4]))
}

// Related looks up what else the cluster, or the set of manifests, holds, slim (see
// [entity.Entity.Slim]). Known is false when the kind was not (completely) read: the rule
// then says Unknown.
type Related interface {
	// List returns all of a kind in a namespace, in no order; the namespace of a Node is "",
	// and a Namespace is listed under "" too.
	List(kind entity.Kind, namespace string) (all []entity.Entity, known bool)
	// Node returns one node.
	Node(name string) (node entity.Entity, found, known bool)
}

// Nothing is a Related that knows nothing.
type Nothing struct{}

// List implements [Related].
func (Nothing) List(entity.Kind, string) ([]entity.Entity, bool) { return nil, false }

// Node implements [Related].
func (Nothing) Node(string) (e entity.Entity, found, known bool) { return }

// Result is what a check returns.
type Result struct {
	Violations []v1.Violation
	Unknown    string // why nothing can be said; empty when something can
}

// Rule is one check.
type Rule struct {
	Meta  Meta
	Check func(entity.Entity, Related) Result
}
