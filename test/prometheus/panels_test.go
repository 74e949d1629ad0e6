package prometheus

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/k8guard/k8guard/tools/dashboards"
)

var update = flag.Bool("update", false, "write docs/operators/dashboards-values.md anew") //nolint:gochecknoglobals // as go test wants it

const valuesFile = "../../docs/operators/dashboards-values.md"

// panels asks what every panel asks, until each has an answer; -update writes the answers down.
func (s *scene) panels(t *testing.T) {
	var page strings.Builder
	page.WriteString("# What the dashboards showed\n\nEach panel's query and what a real Prometheus " + version(t) + " answered, in one run of\n" +
		"`go test ./test/prometheus -run TestPrometheus -update`: run, discover and report over one small cluster, on which one Deployment was\n" +
		"stopped and given back, and everything was frozen; run and discover both judge it, so sums over both count twice. The boards themselves: [dashboards.md](dashboards.md).\n")
	for _, board := range dashboards.Boards() {
		fmt.Fprintf(&page, "\n## %s\n\n| panel | query | value |\n|---|---|---|\n", board.Title)
		for _, row := range board.Rows {
			for _, panel := range row.Panels {
				for _, q := range panel.Queries {
					page.WriteString(valueRow(panel.Title, q.Asked("1m"), s.answer(t, board.Title+", "+panel.Title, q)))
				}
			}
		}
	}
	if *update {
		must(t, os.WriteFile(valuesFile, []byte(page.String()), 0o600))
	}
	written, err := os.ReadFile(valuesFile)
	must(t, err)
	if want, got := asked(page.String()), asked(string(written)); !slices.Equal(want, got) {
		t.Errorf("docs/operators/dashboards-values.md is of other panels; run go test ./test/prometheus -run TestPrometheus -update\nwant %q\nhave %q", want, got)
	}
}

func valueRow(panel, query, value string) string {
	inert := strings.NewReplacer("|", "\\|", "\n", " ", " {}", "")
	return fmt.Sprintf("| %s | `%s` | %s |\n", panel, inert.Replace(query), inert.Replace(value))
}

// asked is a page without its values, which each run has of its own.
func asked(page string) (rows []string) {
	for line := range strings.Lines(page) {
		row, _, valued := strings.Cut(line, "` | ")
		if valued || strings.HasPrefix(line, "## ") {
			rows = append(rows, strings.TrimSpace(row))
		}
	}
	return rows
}

// version is Prometheus' own word.
func version(t *testing.T) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), program(t, "prometheus"), "--version").CombinedOutput()
	must(t, err)
	return strings.Fields(string(out))[2]
}

// answer is what Prometheus says, shortened; nothing is an error unless it may be nothing.
func (s *scene) answer(t *testing.T, where string, q dashboards.Query) string {
	t.Helper()
	if q.Rare != "" {
		found, err := s.server.query(t.Context(), q.Asked("1m"))
		if err != nil {
			t.Errorf("%s: %v", where, err)
		}
		if len(found) == 0 {
			return "nothing: " + q.Rare
		}
		return short(found)
	}
	var found []sample
	eventually(t, where, func() (err error) {
		found, err = s.server.query(t.Context(), q.Asked("1m"))
		found = slices.DeleteFunc(found, func(f sample) bool { return f.Value[1] == "NaN" })
		if err == nil && len(found) == 0 {
			err = errors.New("no data: " + q.Asked("1m"))
		}
		return err
	})
	return short(found)
}

func short(all []sample) string {
	text := fmt.Sprint(all[0])
	if len(all) > 1 {
		text += fmt.Sprintf(" and %d more", len(all)-1)
	}
	return text
}

// firstNames are asked of Prometheus one by one: gauges, from run and from discover, with no
// label but those of the scrape.
func (s *scene) firstNames(t *testing.T) {
	names := listed(t, "The first K8Guard's")
	if len(names) != 25 {
		t.Fatalf("%d names: %v", len(names), names)
	}
	for name := range names {
		found, err := s.server.query(t.Context(), name)
		must(t, err)
		jobs := map[string]bool{}
		for _, f := range found {
			jobs[f.Metric["job"]] = true
			if len(f.Metric) != 3 { // and __name__, instance
				t.Errorf("%s has labels: %v", name, f.Metric)
			}
		}
		if len(found) != 2 || !jobs["k8guard-run"] || !jobs["k8guard-discover"] {
			t.Errorf("%s: %v", name, found)
		}
		var about map[string][]struct{ Type string }
		must(t, s.server.get(t.Context(), "/api/v1/metadata?metric="+name, &about))
		if len(about[name]) != 1 || about[name][0].Type != "gauge" {
			t.Errorf("%s is %v", name, about[name])
		}
	}
	for name, want := range map[string]string{"k8guard_all_ingresses_count": "1", "k8guard_bad_ingresses_count": "1", "k8guard_bad_deployment_count": "1"} {
		found, err := s.server.query(t.Context(), name)
		if err != nil || len(found) == 0 || found[0].Value[1] != want {
			t.Errorf("%s: %v, %v", name, found, err)
		}
	}
}

// listed reads a table of docs/generated/metrics.md: which targets serve a name.
func listed(t *testing.T, title string) map[string][]string {
	t.Helper()
	text, err := os.ReadFile("../../docs/generated/metrics.md")
	must(t, err)
	all := map[string][]string{}
	for section := range strings.SplitSeq(string(text), "\n## ") {
		if title != "" && !strings.HasPrefix(section, title+"\n") {
			continue
		}
		for _, row := range regexp.MustCompile("(?m)^\\| `(\\w+)` \\| \\w+ \\| [^|]* \\| ([^|]*) \\|").FindAllStringSubmatch(section, -1) {
			all[row[1]] = strings.Split(row[2], ", ")
		}
	}
	return all
}

// catalogue compares what the running targets serve with what is written of them.
func (s *scene) catalogue(t *testing.T) {
	all := listed(t, "")
	for target, address := range s.targets {
		lines := bufio.NewScanner(strings.NewReader(page(t.Context(), t, address)))
		n := 0
		for lines.Scan() {
			fields := strings.Fields(lines.Text())
			if len(fields) < 4 || fields[1] != "TYPE" || strings.HasPrefix(fields[2], "go_") || strings.HasPrefix(fields[2], "process_") {
				continue
			}
			if n++; fields[2] != "promhttp_metric_handler_errors_total" && !slices.Contains(all[fields[2]], target) {
				t.Errorf("%s serves %s, and docs/generated/metrics.md says %v", target, fields[2], all[fields[2]])
			}
		}
		must(t, lines.Err())
		t.Logf("%s serves %d metrics of ours", target, n)
		if n == 0 {
			t.Errorf("%s serves none", target)
		}
	}
}

// checkMetrics asks promtool about what each target serves; only the first K8Guard's names may
// be other than they would be today.
func (s *scene) checkMetrics(t *testing.T) {
	first := listed(t, "The first K8Guard's")
	for target, address := range s.targets {
		cmd := exec.CommandContext(t.Context(), program(t, "promtool"), "check", "metrics")
		cmd.Stdin = strings.NewReader(page(t.Context(), t, address))
		out, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		if err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 3) { // 3: it has something to say
			t.Errorf("%s: %v: %s", target, err, out)
		}
		remarks := 0
		for line := range strings.Lines(string(out)) {
			name, _, _ := strings.Cut(line, " ")
			if remarks++; first[name] == nil {
				t.Errorf("%s: %s", target, line)
			}
		}
		t.Logf("%s: promtool has %d remarks, on the first K8Guard's names alone", target, remarks)
	}
}
