package main

import (
	"fmt"
	"os"
	"slices"

	"sigs.k8s.io/yaml"

	"github.com/k8guard/k8guard/internal/ledger"
)

// expectation is what the demo must come to: examples/demo-expect.yaml.
type expectation struct {
	Warnings  int            `json:"warnings"`
	Cases     []expectedCase `json:"cases"`
	Mails     []expectedMail `json:"mails"`
	Undo      []string       `json:"undo"`
	Untouched []string       `json:"untouched"`
}

type expectedCase struct {
	Cluster string `json:"-"` // one of those that the demo has
	Root    string `json:"root"`
	Rule    string `json:"rule"`
	Source  string `json:"source"`
	Status  string `json:"status"`
}

type expectedMail struct {
	To       string `json:"to"`
	Warnings int    `json:"warnings"` // digests of warnings, before any act
	After    int    `json:"after"`    // digests after the act
}

func readExpect(path string) (expectation, error) {
	var e expectation
	raw, err := os.ReadFile(path)
	if err != nil {
		return e, fmt.Errorf("%w; start the demo in the repository's root, with make demo", err)
	}
	if err := yaml.UnmarshalStrict(raw, &e); err != nil {
		return e, fmt.Errorf("%s: %w", path, err)
	}
	return e, nil
}

// in expects the same of each of these clusters, told in the same mails.
func (e expectation) in(clusters []string) expectation {
	var all []expectedCase
	for _, cluster := range clusters {
		for _, c := range e.Cases {
			c.Cluster = cluster
			all = append(all, c)
		}
	}
	e.Cases = all
	return e
}

// played reports whether the story has come to its end: everything acted that is to be,
// and as many mails as are expected.
func (e expectation) played(rows []ledger.CaseRow, mails []mailSeen) bool {
	acted, told := 0, 0
	for _, r := range rows {
		if r.Status == ledger.StatusActed {
			acted++
		}
	}
	for _, m := range e.Mails {
		told += m.Warnings + m.After
	}
	want := 0
	for _, c := range e.Cases {
		if c.Status == ledger.StatusActed {
			want++
		}
	}
	return acted >= want && len(mails) >= told
}

// undone is how many cases the mails should say are undone, and how many they do.
func (e expectation) undone(mails []mailSeen) (want, got int) {
	for _, c := range e.Cases {
		if c.Status == ledger.StatusActed && slices.Contains(e.Undo, c.Root) {
			want++
		}
	}
	for _, m := range mails {
		got += m.undone
	}
	return want, got
}

// atTheEnd are the cases as they are once the undos are done.
func (e expectation) atTheEnd() []expectedCase {
	want := slices.Clone(e.Cases)
	for i, c := range want {
		if c.Status == ledger.StatusActed && slices.Contains(e.Undo, c.Root) {
			want[i].Status = ledger.StatusUndone
		}
	}
	return want
}

// compare returns every difference between what is and what should be.
func (e expectation) compare(rows []ledger.CaseRow, mails []mailSeen) []string {
	var wrong []string
	var got []expectedCase
	for _, r := range rows {
		got = append(got, expectedCase{Cluster: r.Cluster, Root: r.Root.String(), Rule: r.Case.Rule, Source: r.Case.Source, Status: r.Status})
	}
	want := e.atTheEnd()
	for _, c := range want {
		if !slices.Contains(got, c) {
			wrong = append(wrong, fmt.Sprintf("expected and missing: %+v", c))
		}
	}
	for _, c := range got {
		if !slices.Contains(want, c) {
			wrong = append(wrong, fmt.Sprintf("found and not expected: %+v", c))
		}
	}
	for _, m := range e.Mails {
		count := expectedMail{To: m.To}
		for _, seen := range mails {
			switch {
			case seen.to != m.To || seen.undone > 0:
			case seen.warns && count.After == 0:
				count.Warnings++
			default:
				count.After++
			}
		}
		if count != m {
			wrong = append(wrong, fmt.Sprintf("mails: expected %+v, got %+v", m, count))
		}
	}
	for _, seen := range mails {
		if !slices.ContainsFunc(e.Mails, func(m expectedMail) bool { return m.To == seen.to }) {
			wrong = append(wrong, fmt.Sprintf("a mail to %s, to whom none is expected: %s", seen.to, seen.subject))
		}
	}
	return wrong
}
