// Package dashboards holds K8Guard's Grafana dashboards and Prometheus rules as Go values, and
// writes the files of deploy/grafana, deploy/prometheus and docs/operators/dashboards.md.
//
// Purpose: one place from which panels, rules, their tests and their description are made, so
// that a test can ask a real Prometheus each of the very questions that the panels ask.
//
// Concurrency: all of it is values and pure functions.
//
// Guarantees: the same values give the same files, byte for byte; no query names a namespace,
// an owner or an object, for no metric does.
//
// It will not: talk to Grafana or Prometheus, or change a dashboard that somebody saved.
package dashboards

import "strings"

// Board is one dashboard.
type Board struct {
	UID, Title, About string
	Variables         []Variable
	Rows              []Row
}

// Variable is a choice at the top of a board.
type Variable struct {
	Name, Label string
	// Query gives the choices ("label_values(k8guard_roots, cluster)"); empty is a field to write in.
	Query   string
	Default string // of a field to write in
}

// Row is a line of panels under a title.
type Row struct {
	Title  string
	Panels []Panel
}

// Shape is how a panel shows what it asked for.
type Shape string

// The shapes that the boards use.
const (
	Number Shape = "stat"
	Lines  Shape = "timeseries"
	Bars   Shape = "bargauge"
	Table  Shape = "table"
	Text   Shape = "text"
)

// Panel is one picture.
type Panel struct {
	Title, About string
	Shape        Shape
	Unit         string // as Grafana calls it: s, reqps, short, bytes, percentunit
	Width        int    // of 24
	Queries      []Query
	// Text is what a text panel says, in Markdown.
	Text string
}

// Query is one question to Prometheus.
type Query struct {
	Expr   string
	Legend string
	// Rare says that the answer may be empty on a system where all is well, or that is small.
	Rare string
	// Acts says when the answer is empty where K8Guard may not act; the system of the tests may.
	Acts string
}

// Boards are all of them.
func Boards() []Board {
	return []Board{fleet(), oneCluster(), byRule(), enforcement(), itself()}
}

// Asked is a query as Prometheus takes it: Grafana's variables are replaced by all there is.
func (q Query) Asked(window string) string {
	return strings.NewReplacer("$__rate_interval", window, "$cluster", ".*", "$rule", ".*").Replace(q.Expr)
}

// acts marks a panel that is empty where K8Guard may not act.
func (p Panel) acts() Panel {
	for i := range p.Queries {
		p.Queries[i].Acts = "in safe mode"
	}
	return p
}

func number(title, about, unit, expr string) Panel {
	return Panel{Title: title, About: about, Shape: Number, Unit: unit, Width: 4, Queries: []Query{{Expr: expr}}}
}

func lines(title, about, unit, legend, expr string) Panel {
	return Panel{Title: title, About: about, Shape: Lines, Unit: unit, Width: 12, Queries: []Query{{Expr: expr, Legend: legend}}}
}

func bars(title, about, legend, expr string) Panel {
	return Panel{Title: title, About: about, Shape: Bars, Unit: "short", Width: 12, Queries: []Query{{Expr: expr, Legend: legend}}}
}

// rare marks a panel whose answer may be empty, and says when.
func (p Panel) rare(why string) Panel {
	for i := range p.Queries {
		p.Queries[i].Rare = why
	}
	return p
}

// quantile is the duration under which a share of all stays, by labels.
func quantile(share, metric, selector, by string) string {
	le := "le"
	if by != "" {
		le = by + ", le"
	}
	return "histogram_quantile(" + share + ", sum by (" + le + ") (rate(" + metric + "_bucket" + selector + "[$__rate_interval])))"
}
