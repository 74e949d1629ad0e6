// Package scan judges a set of manifests, or a cluster, once, and prints what it found.
//
// Purpose: the rules of the live audit, on a laptop or in CI, before anything is applied,
// or with nothing installed.
//
// Concurrency: [Judge] and the printers keep nothing; call them from any number of goroutines.
//
// Guarantees: the same input gives the same report, in the order of the input; a control
// character of a manifest never reaches a terminal.
//
// It will not: read files, choose rules, or talk to a cluster.
package scan

import (
	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/manifest"
	"github.com/k8guard/k8guard/internal/rule"
)

// Report is what a scan found; its JSON names are a promise. Passing verdicts are counted
// by being absent.
type Report struct {
	V        int            `json:"v"`
	Findings []Finding      `json:"findings"`
	Summary  Summary        `json:"summary"`
	Skipped  map[string]int `json:"skipped"` // objects that no rule judges, by "apiVersion Kind"
	Warnings []string       `json:"warnings"`
	Errors   []string       `json:"errors"` // what could not be read

	objects []object
}

// Finding is one object's verdict by one rule, when it is not a pass.
type Finding struct {
	File      string     `json:"file"` // empty, and Line 0, when it was read from a cluster
	Line      int        `json:"line"`
	Kind      string     `json:"kind"`
	Namespace string     `json:"namespace"`
	Name      string     `json:"name"`
	Verdict   v1.Verdict `json:"verdict"`
}

// Summary counts. Unknown counts verdicts that could not be given.
type Summary struct {
	Objects    int `json:"objects"`
	Violations int `json:"violations"`
	Unknown    int `json:"unknown"`
	Skipped    int `json:"skipped"`
	Errors     int `json:"errors"`
}

// Judge runs the engine over the set. readErr is what [manifest.Read] could not read.
func Judge(engine *rule.Engine, set manifest.Set, readErr error) Report {
	r := Report{V: 1, Findings: []Finding{}, Skipped: set.Skipped, Warnings: set.Warnings, Errors: lines(readErr)}
	if r.Warnings == nil {
		r.Warnings = []string{}
	}
	r.Summary = Summary{Objects: len(set.Items), Errors: len(r.Errors)}
	for _, n := range set.Skipped {
		r.Summary.Skipped += n
	}
	related, skipped := around(engine, set, readErr)
	for _, item := range set.Items {
		e := item.Entity
		one := Finding{File: item.File, Line: item.Line, Kind: string(e.Kind), Namespace: e.Namespace, Name: e.Name}
		r.objects = append(r.objects, object{file: one.at(), name: one.object()})
		for _, verdict := range engine.Judge(e, related, v1.FromTemplate) {
			if !skipped[verdict.Rule] {
				r.add(one, verdict)
			}
		}
	}
	return r
}

func (r *Report) add(f Finding, verdict v1.Verdict) {
	if verdict.State == v1.Pass {
		return
	}
	r.Summary.Violations += len(verdict.Violations)
	if verdict.State == v1.Unknown {
		r.Summary.Unknown++
	}
	f.Verdict = verdict
	r.Findings = append(r.Findings, f)
}
