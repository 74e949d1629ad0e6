package dashboards

import (
	"cmp"
	"fmt"
	"strings"
)

// Layout describes every board in words and tables, for whoever has no Grafana at hand.
func Layout() []byte {
	var b strings.Builder
	b.WriteString("# Dashboards\n\nWritten by `make generate` from tools/dashboards; do not edit. The boards are in `deploy/grafana`: import each file, or put\n" +
		"the folder where Grafana's provisioning looks. The rules are `deploy/prometheus/rules.yaml`, each alert explained in\n" +
		"[runbooks.md](runbooks.md). `$cluster` and `$rule` are what you choose at the top. Let Prometheus keep K8Guard's own label\n" +
		"`cluster` (`honor_labels: true`) where the scrape would set one of that name. Each query below is asked of a real\n" +
		"Prometheus in `make test`; what may be empty says when. What they showed in one run: [dashboards-values.md](dashboards-values.md).\n\n" +
		"`/metrics` is served at `report.listen` (127.0.0.1:8686) by each process: `run`, or discover, action and report. `job` must hold the word\n" +
		"k8guard, for the alert `K8GuardDown`:\n\n" +
		"    scrape_configs:\n      - job_name: k8guard\n        honor_labels: true\n        static_configs: [{targets: [\"127.0.0.1:8686\"]}]\n\n" +
		"With `report.login: token` the scrape needs a token of an account that may list pods in all namespaces (`authorization: {credentials_file: FILE}`), or\n" +
		"`report.openMetrics: true`. In the chart: `metrics.serviceMonitor.enabled`. `make prometheus` fetches Debian's Prometheus to try it with.\n")
	for _, board := range Boards() {
		fmt.Fprintf(&b, "\n## %s\n\n%s `deploy/grafana/%s.json`\n", board.Title, board.About, board.UID)
		for _, row := range board.Rows {
			fmt.Fprintf(&b, "\n### %s\n\n%s\n", row.Title, sketch(row))
			b.WriteString(queries(row))
		}
	}
	return []byte(b.String())
}

// sketch shows where the panels of a row are.
func sketch(row Row) string {
	lines, x, line := []string{}, 0, "    "
	for _, p := range row.Panels {
		if x+p.Width > 24 {
			lines, x, line = append(lines, line), 0, "    "
		}
		room := 4*p.Width - 3
		title := p.Title
		if len(title) > room {
			title = title[:room-1] + "…"
		}
		line += "[" + title + strings.Repeat(" ", room-len([]rune(title))) + "] "
		x += p.Width
	}
	lines = append(lines, line)
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}

func queries(row Row) string {
	var b strings.Builder
	b.WriteString("\n| panel | as | unit | query | may be empty |\n|---|---|---|---|---|\n")
	for _, p := range row.Panels {
		if p.Shape == Text {
			fmt.Fprintf(&b, "| %s | text | | | |\n", p.Title)
		}
		for _, q := range p.Queries {
			fmt.Fprintf(&b, "| %s | %s | %s | `%s` | %s |\n", p.Title, p.Shape, p.Unit, strings.ReplaceAll(q.Expr, "|", "\\|"), cmp.Or(q.Rare, q.Acts))
		}
	}
	return b.String()
}
