package scan

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/manifest"
)

// PrintJSON writes the report as indented JSON.
func (r Report) PrintJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	if err := e.Encode(r); err != nil {
		return fmt.Errorf("printing the report: %w", err)
	}
	return nil
}

// PrintTable writes the report for people, and ends with one line of counts.
func (r Report) PrintTable(w io.Writer, colour bool) error {
	var b strings.Builder
	for _, e := range r.Errors {
		fmt.Fprintf(&b, "error: %s\n", Visible(e))
	}
	for _, warning := range r.Warnings {
		fmt.Fprintf(&b, "warning: %s\n", Visible(warning))
	}
	if len(r.Findings) > 0 {
		b.WriteString(r.table(colour) + "\n")
	}
	s := r.Summary
	if len(r.Skipped) > 0 {
		fmt.Fprintf(&b, "not judged: %s\n", Visible(r.skipped()))
	}
	fmt.Fprintf(&b, "%s: %s, %d unknown; %d skipped, %s\n",
		count(s.Objects, "object"), count(s.Violations, "violation"), s.Unknown, s.Skipped, count(s.Errors, "error"))
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("printing the report: %w", err)
	}
	return nil
}

// skipped names what no rule judges, as "apps/v1 Frobnicator (2), …".
func (r Report) skipped() string {
	var all []string
	for _, kind := range slices.Sorted(maps.Keys(r.Skipped)) {
		all = append(all, manifest.Skipped(kind, r.Skipped[kind]))
	}
	return strings.Join(all, ", ")
}

func (r Report) table(colour bool) string {
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Options = table.OptionsNoBordersAndSeparators
	t.AppendHeader(table.Row{"severity", "rule", "object", "source", "message", "at"})
	for _, f := range r.Findings {
		object, at := Visible(f.place()), Visible(f.at())
		severity := f.Verdict.Severity
		if f.Verdict.State == v1.Unknown {
			t.AppendRow(table.Row{paint("unknown", text.FgYellow, colour), f.Verdict.Rule, object, "", Visible(f.Verdict.Reason), at})
		}
		for _, v := range f.Verdict.Violations {
			t.AppendRow(table.Row{paint(severity, text.FgRed, colour), v.Type, object, Visible(v.Source), Visible(withEvidence(v)), at})
		}
	}
	return t.Render()
}

// place names the object for people, as everything else of K8Guard does: "Deployment/shop/cart".
func (f Finding) place() string { return strings.Replace(f.object(), " ", "/", 1) }

// object names the object, as "Deployment shop/cart", for programs: they compare it with earlier runs.
func (f Finding) object() string {
	if f.Kind == "Namespace" || f.Namespace == "" {
		return f.Kind + " " + f.Name
	}
	return f.Kind + " " + f.Namespace + "/" + f.Name
}

// at is file:line, or empty for what was read from a cluster.
func (f Finding) at() string {
	if f.File == "" {
		return ""
	}
	return f.File + ":" + strconv.Itoa(f.Line)
}

func withEvidence(v v1.Violation) string {
	if v.Evidence == "" {
		return v.Message
	}
	return v.Message + " (" + v.Evidence + ")"
}

// count is "1 violation" or "2 violations".
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

// paint writes the escapes itself: the library's own switch is a global of the process.
func paint(s string, c text.Color, colour bool) string {
	if !colour {
		return s
	}
	return c.EscapeSeq() + s + text.Reset.EscapeSeq()
}

// Visible shows control and other unprintable characters as escapes, so that text of a
// manifest cannot steer a terminal or reorder a line.
func Visible(s string) string {
	var b strings.Builder
	for _, r := range s {
		if unicode.IsPrint(r) {
			b.WriteRune(r)
			continue
		}
		quoted := strconv.QuoteRuneToASCII(r)
		b.WriteString(quoted[1 : len(quoted)-1])
	}
	return b.String()
}
