package cli

import (
	"strings"
	"testing"
	"unicode"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/report"
)

// Whatever a case holds, the terminal gets as many lines as for a plain one, and nothing that
// it obeys.
func FuzzCaseOutput(f *testing.F) {
	f.Add("a\x1b[2J\x1b]8;;http://evil\a", "\u202ebad\r\nstatus    resolved")
	f.Add("\x9b31m", "\xff\u2066 a\tb\u2028")
	f.Fuzz(func(t *testing.T, name, text string) {
		got, want := said("x"+name, "x"+text), said("x", "x")
		if strings.Count(got, "\n") != strings.Count(want, "\n") {
			t.Errorf("other lines than\n%s: %q", want, got)
		}
		if strings.ContainsFunc(got, func(r rune) bool { return r != '\n' && unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) }) {
			t.Errorf("%q", got)
		}
	})
}

func said(name, text string) string {
	root := v1.Root{Kind: name, Namespace: name, Name: name}
	c := docket.Case{ID: text, Rule: text, Severity: text, Source: text, Message: text, Evidence: text, Plan: docket.Plan{Step: text, Next: text, Text: text}}
	view := report.CaseView{Case: c, Status: text, Docket: docket.Docket{Root: root, Owner: v1.Owner{Emails: []string{text}}},
		History: []ledger.Line{{Entry: docket.Entry{Kind: text, Text: text}}}}
	page := ledger.CasePage{Next: text, Rows: []ledger.CaseRow{{ID: text, Root: root, Status: text, Case: c}}}
	return caseText(view, "") + caseTable(page)
}
