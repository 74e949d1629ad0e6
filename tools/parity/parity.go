// Command parity holds docs/parity.md to its word: every name of the first system has a line,
// every test that a line names is there, and, with -ran, passed in this very run. Of
// docs/threat-model.md it holds the tests to that, too.
//
//	parity [-ran FILE]
//
// It is run in the repository's root. FILE is what testrun wrote. Exit code: 0 all of it is
// true, 1 something is not, 3 tests are missing from FILE and CI is not true: on a machine
// without Kafka they are left out.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"
)

const (
	page    = "docs/parity.md"
	threats = "docs/threat-model.md"
	module  = "github.com/k8guard/k8guard"
)

func main() {
	ran := flag.String("ran", "", "the list of tests that passed")
	flag.Parse()
	ci, _ := strconv.ParseBool(os.Getenv("CI"))
	code, err := check(os.Stdout, *ran, ci)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(code)
}

// pages reads both; what they say of tests that are not there is an error.
func pages() (lines []line, err error) {
	for _, name := range []string{page, threats} {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		found, err := read(string(text))
		err = errors.Join(err, exist(found, "."))
		if name == page {
			err = errors.Join(err, complete(found, sections()))
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		lines = append(lines, found...)
	}
	return lines, nil
}

func check(out io.Writer, ran string, ci bool) (int, error) {
	lines, err := pages()
	if err != nil {
		return 1, err
	}
	open := 0
	for _, l := range lines {
		if l.open != "" {
			open++
			fmt.Fprintf(out, "open: %s, %s: %s\n", l.section, l.name, l.open)
		}
	}
	if ran == "" {
		fmt.Fprintf(out, "%d lines, %d of them open\n", len(lines), open)
		return 0, nil
	}
	passed, err := os.ReadFile(ran)
	if err != nil {
		return 1, fmt.Errorf("%w; make test-race writes it", err)
	}
	missing := absent(lines, module, string(passed))
	for _, one := range missing {
		fmt.Fprintf(out, "did not run to its end: %s\n", one)
	}
	fmt.Fprintf(out, "%d lines, %d of them open, %d tests missing\n", len(lines), open, len(missing))
	switch {
	case len(missing) == 0:
		return 0, nil
	case ci:
		return 1, errors.New("it names tests that were skipped or failed")
	}
	return 3, nil
}
