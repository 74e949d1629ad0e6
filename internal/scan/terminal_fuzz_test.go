package scan

import (
	"bytes"
	"strings"
	"testing"
	"unicode"

	v1 "github.com/k8guard/k8guard/api/v1"
)

// Whatever a manifest holds, the table has one row for it, and nothing that a terminal obeys.
func FuzzTable(f *testing.F) {
	f.Add("a\x1b]0;x\a", "\u202ebad\r\n1 violations", "f\x9b2J.yaml")
	f.Add("", "a\tb\u2028c", "\xff")
	f.Fuzz(func(t *testing.T, name, message, file string) {
		rows := func(name, message, file string) string {
			one := Finding{File: file, Line: 1, Kind: "Pod", Name: name}
			r := Report{Errors: []string{message}, objects: []object{{file: one.at(), name: one.object()}}}
			r.add(one, v1.Verdict{Rule: "BAD", State: v1.Violated, Violations: []v1.Violation{{Type: "BAD", Source: name, Message: message, Evidence: message}}})
			var out bytes.Buffer
			if err := r.PrintTable(&out, false); err != nil {
				t.Fatal(err)
			}
			return out.String()
		}
		got := rows(name, message, file)
		if want := rows("a", "b", "c"); strings.Count(got, "\n") != strings.Count(want, "\n") {
			t.Errorf("other rows than\n%s: %q", want, got)
		}
		if strings.ContainsFunc(got, func(r rune) bool { return r != '\n' && unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) }) {
			t.Errorf("%q", got)
		}
	})
}
