// Package judge decides from outside whether K8Guard kept its promises.
//
// Purpose: bijection of writes and records, one hard action a root, bounded and confirmed
// notices, nothing lost; from the API server's audit log, the mail that arrived, and the
// ledger read with SQL of its own.
//
// Concurrency: pure functions over what was read; [ReadLedger] may run beside a K8Guard.
//
// Guarantees: evidence that is missing fails, it never passes. An error names every
// violation found, not the first.
//
// It will not: import what it judges (a test holds that), or ask the product anything.
package judge

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// findings gathers violations.
type findings struct{ errs []error }

func (f *findings) add(format string, args ...any) {
	f.errs = append(f.errs, fmt.Errorf(format, args...))
}

func (f *findings) err(what string) error {
	if len(f.errs) == 0 {
		return nil
	}
	return fmt.Errorf("%s: %d violations: %w", what, len(f.errs), errors.Join(f.errs...))
}

// Violation is what an object does wrong: a rule on a source of the root with this UID.
type Violation struct{ UID, Rule, Source string }

// Lost says which of these violations no case of the ledger is about. The value is a name
// for people. None at all is an error: then nothing was looked for.
func Lost(violations map[Violation]string, d Dump) error {
	f := &findings{}
	if len(violations) == 0 {
		f.add("no violation was given to look for")
	}
	known := map[Violation]bool{}
	for _, x := range d.Dockets {
		for _, c := range x.Cases {
			if c.State == "resolved" { // what is violating now must not be called mended
				continue
			}
			known[Violation{x.Root.UID, c.Rule, c.Source}], known[Violation{x.Key.Root, c.Rule, c.Source}] = true, true
		}
	}
	for v, name := range violations {
		if !known[v] {
			f.add("%s (%s) violates %s on %s, and has no case for it", name, v.UID, v.Rule, v.Source)
		}
	}
	return f.err("lost violations")
}

// Outcome counts roots that were acted on and those that K8Guard left to a human. The
// error names roots that are neither, and those left to a human without sends of unknown
// outcome in the ledger that explain why.
func Outcome(roots map[string]string, d Dump) (acted, human int, err error) {
	f := &findings{}
	for _, x := range d.Dockets {
		if roots[x.Key.Root] == "" {
			continue
		}
		if x.Enforcement != nil && slices.Contains(wasDone(), x.Enforcement.State) {
			acted++
			continue
		}
		human++
		for _, c := range x.Cases {
			if c.Plan.Reason != "needs-human" {
				f.add("%s, case %s: neither acted on nor left to a human: state %s, plan %q %s", x.Root, c.ID, c.State, c.Plan.Reason, c.Plan.Text)
			} else if c.unknown() == 0 {
				f.add("%s, case %s: left to a human without a send of unknown outcome: %s", x.Root, c.ID, c.Plan.Text)
			}
		}
	}
	if n := acted + human; n != len(roots) {
		f.add("%d of %d roots have a docket", n, len(roots))
	}
	return acted, human, f.err("outcome")
}

func wasDone() []string { return []string{"done", "undoing", "undone"} }

func (c Case) unknown() int {
	n := 0
	for _, x := range c.Notices {
		if x.Purpose == "warning" && x.Result == "unknown" {
			n++
		}
	}
	return n
}

// String is "Kind/namespace/name".
func (r Root) String() string { return strings.Join([]string{r.Kind, r.Namespace, r.Name}, "/") }
