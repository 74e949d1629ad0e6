package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// event is one line of go test -json.
type event struct {
	Action, Package, Test, Output string
	FailedBuild                   string
}

// key is a test of a package; the package itself where no test is named.
type key struct{ pkg, test string }

// reader turns events into what go test shows without -v.
type reader struct {
	out     io.Writer
	said    map[key][]string
	passed  map[string][]string // by package, until it ends
	skipped map[key]bool        // a test below it was skipped
	all     []string
}

func newReader(out io.Writer) *reader {
	return &reader{out: out, said: map[key][]string{}, passed: map[string][]string{}, skipped: map[key]bool{}}
}

// list is what passed, sorted.
func (r *reader) list() []string {
	slices.Sort(r.all)
	return slices.Compact(r.all)
}

func (r *reader) read(from io.Reader) error {
	lines := bufio.NewReader(from)
	for {
		line, err := lines.ReadString('\n')
		if line != "" {
			var e event
			if json.Unmarshal([]byte(line), &e) != nil {
				_, _ = io.WriteString(r.out, line) // a word of the go command itself
			} else {
				r.take(e)
			}
		}
		switch {
		case err == io.EOF: //nolint:errorlint // as bufio returns it
			return nil
		case err != nil:
			return fmt.Errorf("read what go test says: %w", err)
		}
	}
}

func (r *reader) take(e event) {
	k := key{e.Package, e.Test}
	switch e.Action {
	case "build-output":
		_, _ = io.WriteString(r.out, e.Output)
	case "output":
		r.output(k, e.Output)
	case "pass":
		if e.Test == "" {
			r.end(e.Package, true)
		} else {
			r.settle(k)
		}
	case "skip":
		if e.Test == "" {
			r.end(e.Package, false)
		}
		for k.test != "" { // who has a part that was skipped has not run whole
			r.skipped[k] = true
			k.test = parent(k.test)
		}
	case "fail":
		if e.Test == "" {
			r.end(e.Package, false)
			return
		}
		r.show(k)
	}
}

// output keeps a test's words until it is known how it ended, and shows the package's line.
func (r *reader) output(k key, text string) {
	if k.test != "" {
		r.said[k] = append(r.said[k], text)
		return
	}
	if text != "PASS\n" {
		_, _ = io.WriteString(r.out, text)
	}
}

// settle notes a test that passed, and forgets its words.
func (r *reader) settle(k key) {
	delete(r.said, k)
	if !r.skipped[k] {
		r.passed[k.pkg] = append(r.passed[k.pkg], k.test)
	}
}

func (r *reader) show(k key) {
	for _, line := range r.said[k] {
		if !strings.HasPrefix(line, "=== ") {
			_, _ = io.WriteString(r.out, line)
		}
	}
	delete(r.said, k)
}

// end closes a package. What a test was saying when all ended, as in a panic, is shown.
func (r *reader) end(pkg string, ok bool) {
	if ok {
		for _, test := range r.passed[pkg] {
			r.all = append(r.all, pkg+" "+test+"\n")
		}
	}
	delete(r.passed, pkg)
	maps.DeleteFunc(r.said, func(k key, lines []string) bool {
		if k.pkg == pkg && !ok && !r.skipped[k] {
			r.show(k)
		}
		return k.pkg == pkg
	})
}

func parent(test string) string {
	if i := strings.LastIndexByte(test, '/'); i >= 0 {
		return test[:i]
	}
	return ""
}
