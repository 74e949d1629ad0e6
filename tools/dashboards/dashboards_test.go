package dashboards_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/k8guard/k8guard/tools/dashboards"
)

const root = "../../"

// What is in the repository is what the values make, and nothing else lies beside it.
func TestFiles(t *testing.T) {
	files, err := dashboards.Files()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		if got, err := os.ReadFile(root + name); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s has drifted (%v): run make generate", name, err)
		}
	}
	lying, err := filepath.Glob(root + "deploy/grafana/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range lying {
		if files[strings.TrimPrefix(filepath.ToSlash(name), root)] == nil {
			t.Errorf("%s is no board of ours", name)
		}
	}
}

// known reads the metrics that the targets register, with their labels, as generated from the code.
func known(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile(root + "docs/generated/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `(\\w+)` \\| (\\w+) \\| ([^|]*) \\|").FindAllStringSubmatch(string(text), -1) {
		labels := append(strings.Split(row[3], ", "), "instance", "job")
		if row[2] != "histogram" {
			all[row[1]] = labels
			continue
		}
		all[row[1]+"_count"], all[row[1]+"_sum"], all[row[1]+"_bucket"] = labels, labels, append(labels, "le")
	}
	for _, r := range dashboards.Records() {
		all[r.Name] = nil
	}
	return all
}

// expressions are all that is asked anywhere, by where.
func expressions() map[string]string {
	all := map[string]string{}
	for _, b := range dashboards.Boards() {
		for _, v := range b.Variables {
			all[b.Title+", variable "+v.Name] = v.Query
		}
		for _, r := range b.Rows {
			for _, p := range r.Panels {
				for _, q := range p.Queries {
					all[b.Title+", "+r.Title+", "+p.Title] = q.Expr
				}
			}
		}
	}
	for _, r := range dashboards.Records() {
		all[r.Name] = r.Expr
	}
	for _, a := range dashboards.Alerts() {
		all[a.Name] = a.Expr
		for s := range a.Test.Series {
			all[a.Name+", "+s] = s
		}
	}
	return all
}

// Every question names only what the code registers, and matches only labels that it has.
func TestQueriesNameWhatIsThere(t *testing.T) {
	all := known(t)
	if len(all) < 50 {
		t.Fatalf("docs/generated/metrics.md lists %d names", len(all))
	}
	name := regexp.MustCompile(`(?:[a-z_]+:)?\b(?:k8guard|fn)_\w+(?::\w+)?(\{[^}]*\})?`)
	label := regexp.MustCompile(`(\w+)\s*(?:=~|!~|!=|=)`)
	for where, expr := range expressions() {
		for _, m := range name.FindAllStringSubmatch(expr, -1) {
			metric := strings.TrimSuffix(m[0], m[1])
			labels, ok := all[metric]
			if !ok {
				t.Errorf("%s asks for %s, which nothing registers", where, metric)
			}
			for _, l := range label.FindAllStringSubmatch(m[1], -1) {
				if ok && !slices.Contains(labels, l[1]) {
					t.Errorf("%s: %s has no label %s", where, metric, l[1])
				}
			}
		}
	}
}

// Every alert has a section in the runbooks, and every section an alert.
func TestRunbooks(t *testing.T) {
	text, err := os.ReadFile(root + "docs/operators/runbooks.md")
	if err != nil {
		t.Fatal(err)
	}
	var sections []string
	for _, s := range regexp.MustCompile(`(?m)^## (\w+)$`).FindAllStringSubmatch(string(text), -1) {
		sections = append(sections, s[1])
	}
	for _, a := range dashboards.Alerts() {
		i := slices.Index(sections, a.Name)
		if i < 0 {
			t.Errorf("%s has no section in docs/operators/runbooks.md", a.Name)
			continue
		}
		sections = slices.Delete(sections, i, i+1)
		if strings.ToLower(a.Name) != a.Anchor() {
			t.Errorf("%s: anchor %s", a.Name, a.Anchor())
		}
	}
	if len(sections) > 0 {
		t.Errorf("runbooks without an alert: %v", sections)
	}
	rules, err := dashboards.Rules()
	if err != nil || strings.Count(string(rules), "runbook_url: "+dashboards.RunbookURL) != len(dashboards.Alerts()) {
		t.Errorf("not every alert says where its runbook is (%v)", err)
	}
}

// Every alert has a story: quiet, and then not.
func TestStories(t *testing.T) {
	for _, a := range dashboards.Alerts() {
		if len(a.Test.Series) == 0 || a.Test.Quiet == "" || a.Test.At == "" {
			t.Errorf("%s has no story", a.Name)
		}
		if !strings.HasSuffix(a.Summary, ".") && !strings.HasSuffix(a.Summary, "?") {
			t.Errorf("%s: %q", a.Name, a.Summary)
		}
	}
}

// A board is JSON that Grafana takes: panels with their own numbers, side by side, not upon
// each other, in 24 columns.
func TestBoards(t *testing.T) {
	seen := map[string]bool{}
	for _, b := range dashboards.Boards() {
		if seen[b.UID] || len(b.UID) > 40 {
			t.Errorf("%s: the UID %s", b.Title, b.UID)
		}
		seen[b.UID] = true
		text, err := b.JSON()
		if err != nil {
			t.Fatal(err)
		}
		var read struct {
			Panels []struct {
				ID      int
				Type    string
				GridPos struct{ X, Y, W, H int }
				Targets []struct{ Expr string }
			}
		}
		if err := json.Unmarshal(text, &read); err != nil {
			t.Fatal(err)
		}
		taken, ids := map[[2]int]bool{}, map[int]bool{}
		for _, p := range read.Panels {
			if ids[p.ID] || p.GridPos.W < 1 || p.GridPos.X+p.GridPos.W > 24 || p.Type != "row" && p.Type != "text" && len(p.Targets) == 0 {
				t.Errorf("%s: panel %+v", b.Title, p)
			}
			ids[p.ID] = true
			for x := range p.GridPos.W {
				for y := range p.GridPos.H {
					at := [2]int{p.GridPos.X + x, p.GridPos.Y + y}
					if taken[at] {
						t.Fatalf("%s: panel %d lies upon another", b.Title, p.ID)
					}
					taken[at] = true
				}
			}
		}
	}
}
