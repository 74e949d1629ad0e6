package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// line is one promise of the page.
type line struct {
	at            int
	section, name string
	tests         []named
	open          string // who owes the test; empty where there are tests
}

// named is a test that the page names: a package below the module, and a test of it.
type named struct{ pkg, test string }

func (n named) String() string { return n.pkg + " " + n.test }

// read takes the page apart. A line of a table is "| name | what it is now | tests |"; a test is
// `package Test/part`; a line without one says "open: who".
func read(text string) (lines []line, err error) {
	heading := ""
	var wrong []error
	at := 0
	for row := range strings.SplitSeq(text, "\n") {
		at++
		if title, ok := strings.CutPrefix(row, "## "); ok {
			heading = title
		}
		if !strings.HasPrefix(row, "| ") || strings.HasPrefix(row, "| name ") {
			continue
		}
		cells := strings.Split(strings.Trim(row, "| "), " | ")
		if len(cells) != 3 {
			wrong = append(wrong, fmt.Errorf("line %d: has %d cells; write | name | what it is now | tests |", at, len(cells)))
			continue
		}
		l := line{at: at, section: heading, name: strings.Trim(cells[0], "`")}
		l.open, _ = strings.CutPrefix(cells[2], "open: ")
		if l.open == cells[2] {
			l.open = ""
			for _, m := range regexp.MustCompile("`([a-z0-9/]+) (Test[^`]*)`").FindAllStringSubmatch(cells[2], -1) {
				l.tests = append(l.tests, named{m[1], m[2]})
			}
		}
		if l.open == "" && len(l.tests) == 0 {
			wrong = append(wrong, fmt.Errorf("line %d: %s has no test; write `package TestName`, or open: who owes it", at, l.name))
		}
		lines = append(lines, l)
	}
	return lines, errors.Join(wrong...)
}

// complete compares the lines with what has to be there.
func complete(lines []line, want []section) error {
	var wrong []error
	for _, s := range want {
		var got []string
		for _, l := range lines {
			if l.section != s.heading {
				continue
			}
			if !slices.Contains(s.names, l.name) || slices.Contains(got, l.name) {
				wrong = append(wrong, fmt.Errorf("line %d: %s is not asked for below %q, or is there twice", l.at, l.name, s.heading))
			}
			got = append(got, l.name)
		}
		for _, name := range s.names {
			if !slices.Contains(got, name) {
				wrong = append(wrong, fmt.Errorf("%q has no line for %s", s.heading, name))
			}
		}
	}
	for _, l := range lines {
		if !slices.ContainsFunc(want, func(s section) bool { return s.heading == l.section }) {
			wrong = append(wrong, fmt.Errorf("line %d: nothing is asked for below %q", l.at, l.section))
		}
	}
	return errors.Join(wrong...)
}

// exist looks for each test's function in the sources below root.
func exist(lines []line, root string) error {
	var wrong []error
	for _, l := range lines {
		for _, n := range l.tests {
			function, _, _ := strings.Cut(n.test, "/")
			if ok, err := declared(filepath.Join(root, filepath.FromSlash(n.pkg)), function); err != nil || !ok {
				wrong = append(wrong, errors.Join(fmt.Errorf("line %d: there is no %s in %s", l.at, function, n.pkg), err))
			}
		}
	}
	return errors.Join(wrong...)
}

func declared(dir, function string) (bool, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		return false, err
	}
	pattern := regexp.MustCompile(`(?m)^func ` + regexp.QuoteMeta(function) + `\(t \*testing\.T\)`)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return false, err
		}
		if pattern.Match(text) {
			return true, nil
		}
	}
	return false, nil
}

// absent are the tests that the page names and that are not in the list of those that passed.
func absent(lines []line, module, passed string) (all []string) {
	ran := map[string]bool{}
	for test := range strings.SplitSeq(passed, "\n") {
		ran[test] = true
	}
	for _, l := range lines {
		for _, n := range l.tests {
			if !ran[module+"/"+n.String()] {
				all = append(all, fmt.Sprintf("line %d, %s: %s", l.at, l.name, n))
			}
		}
	}
	return all
}
