package scan

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	v1 "github.com/k8guard/k8guard/api/v1"
)

// object is one that was judged, also where every rule passes.
type object struct{ file, name string }

type junitSuites struct {
	XMLName xml.Name `xml:"testsuites"`
	junitSuite
	Suite junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Errors   int         `xml:"errors,attr"`
	Skipped  int         `xml:"skipped,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Class   string     `xml:"classname,attr"`
	Name    string     `xml:"name,attr"`
	Failure *junitText `xml:"failure"`
	Error   *junitText `xml:"error"`
	Skipped *junitText `xml:"skipped"`
}

type junitText struct {
	Message string `xml:"message,attr"`
	Body    string `xml:",chardata"`
}

// PrintJUnit writes the report as JUnit XML: one test for each object. It fails where a rule
// is violated, is skipped where something is unknown, and is an error for what could not be
// read.
func (r Report) PrintJUnit(w io.Writer) error {
	suite := junitSuite{Name: "k8guard scan"}
	byObject := map[object][]Finding{}
	for _, f := range r.Findings {
		o := object{file: f.at(), name: f.object()}
		byObject[o] = append(byObject[o], f)
	}
	for _, o := range r.objects {
		suite.add(o, byObject[o])
		delete(byObject, o) // the same name at the same place is told once
	}
	for _, e := range r.Errors {
		suite.Cases = append(suite.Cases, junitCase{Class: "k8guard", Name: "reading", Error: &junitText{Message: Visible(e)}})
		suite.Errors++
	}
	suite.Tests = len(suite.Cases)
	all := junitSuites{junitSuite: suite, Suite: suite}
	all.Cases = nil
	text, err := xml.MarshalIndent(all, "", "  ")
	if err == nil {
		_, err = fmt.Fprintf(w, "%s%s\n", xml.Header, text)
	}
	if err != nil {
		return fmt.Errorf("printing the report: %w", err)
	}
	return nil
}

func (s *junitSuite) add(o object, findings []Finding) {
	c := junitCase{Class: Visible(o.file), Name: Visible(o.name)}
	var failed, unknown []string
	for _, f := range findings {
		for _, v := range f.Verdict.Violations {
			failed = append(failed, Visible(v.Type+" ("+f.Verdict.Severity+") "+v.Source+": "+withEvidence(v)))
		}
		if f.Verdict.State == v1.Unknown {
			unknown = append(unknown, Visible(f.Verdict.Rule+": "+f.Verdict.Reason))
		}
	}
	switch {
	case len(failed) > 0:
		s.Failures++
		c.Failure = &junitText{Message: count(len(failed), "violation"), Body: strings.Join(append(failed, unknown...), "\n")}
	case len(unknown) > 0:
		s.Skipped++
		c.Skipped = &junitText{Message: strings.Join(unknown, "; ")}
	}
	s.Cases = append(s.Cases, c)
}
