// Package ruletest holds every rule to the same test.
//
// Purpose: a rule's test is its manifests: testdata/RULE_ID/{bad,good}-*.yaml. A bad one
// says what must be found, exactly, in comment lines "# want: SOURCE @ PATH".
//
// Concurrency: none; it runs inside one test.
//
// Guarantees: a rule without two bad and two good manifests, or with metadata that people
// cannot use, fails; so do manifests of a rule that is not among those that are run.
//
// It will not: accept a finding that no line asked for.
package ruletest

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/entity"
	"github.com/k8guard/k8guard/internal/manifest"
	"github.com/k8guard/k8guard/internal/rule"
)

// Run judges the manifests under dir, usually "testdata", and checks each rule's metadata.
func Run(t *testing.T, rules []rule.Rule, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.IsDir() && !slices.ContainsFunc(rules, func(r rule.Rule) bool { return r.Meta.ID == e.Name() }) {
			t.Errorf("%s is of no rule that is run here: name it in the call of ruletest.Run", filepath.Join(dir, e.Name()))
		}
	}
	for _, r := range rules {
		t.Run(r.Meta.ID, func(t *testing.T) {
			checkMeta(t, r.Meta)
			for _, sort := range []string{"bad", "good"} {
				files, err := filepath.Glob(filepath.Join(dir, r.Meta.ID, sort+"-*.yaml"))
				if err != nil || len(files) < 2 {
					t.Fatalf("%d %s manifests (%v); a rule needs two", len(files), sort, err)
				}
				for _, f := range files {
					checkFile(t, r, f, sort == "bad")
				}
			}
		})
	}
}

func checkFile(t *testing.T, r rule.Rule, file string, bad bool) {
	t.Helper()
	set, err := manifest.Read([]string{file}, false, nil)
	if err != nil || len(set.Items) == 0 || len(set.Warnings) > 0 {
		t.Fatalf("%s: %d objects, warnings %v, error %v", file, len(set.Items), set.Warnings, err)
	}
	engine, err := rule.NewEngine(r)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	all := slices.Clone(set.Related)
	for _, item := range set.Items {
		all = append(all, item.Entity)
	}
	related := rule.NewSet(all)
	for _, item := range set.Items {
		subject := item.Entity
		if len(r.Meta.Reads) > 0 { // it must do with what is kept
			subject = subject.Slim()
		}
		verdicts := engine.Judge(subject, related, v1.FromTemplate)
		if len(verdicts) == 0 && !slices.Contains(r.Meta.Kinds, subject.Kind) {
			continue // it is there to be looked up
		}
		if len(verdicts) != 1 || verdicts[0].State == v1.Unknown {
			t.Fatalf("%s: verdicts %+v; want one that is known", file, verdicts)
		}
		for _, v := range verdicts[0].Violations {
			got = append(got, v.Source+" @ "+v.Path)
		}
	}
	want := wanted(t, file)
	if !slices.Equal(got, want) || bad != (len(want) > 0) {
		t.Errorf("%s:\n got %q\nwant %q", file, got, want)
	}
}

func wanted(t *testing.T, file string) []string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for line := range strings.Lines(string(data)) {
		if w, ok := strings.CutPrefix(line, "# want: "); ok {
			want = append(want, strings.TrimSpace(w))
		}
	}
	return want
}

func checkMeta(t *testing.T, m rule.Meta) {
	t.Helper()
	severities := []rule.Severity{rule.Critical, rule.High, rule.Medium, rule.Low}
	for problem, found := range map[string]bool{
		"no ID in capitals":                 m.ID == "" || m.ID != strings.ToUpper(m.ID),
		"a title is one line, no full stop": m.Title == "" || strings.HasSuffix(m.Title, ".") || strings.Contains(m.Title, "\n"),
		"Why is a sentence":                 !strings.HasSuffix(m.Why, ".") || len(m.Why) < 20,
		"Remedy is a sentence":              !strings.HasSuffix(m.Remedy, ".") || len(m.Remedy) < 20,
		"unknown severity":                  !slices.Contains(severities, m.Severity),
		"no category":                       m.Category == "",
		"no kinds":                          len(m.Kinds) == 0,
		"revisions begin at 1":              m.Revision < 1,
	} {
		if found {
			t.Errorf("%s: %s: %+v", m.ID, problem, m)
		}
	}
	for _, k := range m.Kinds {
		if !slices.Contains(entity.Kinds(), k) {
			t.Errorf("%s: no kind is called %s", m.ID, k)
		}
	}
}
