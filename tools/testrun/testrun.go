// Command testrun runs go test, shows what it shows, and writes down which tests passed.
//
//	testrun -passed FILE -- go test -race ./...
//
// Purpose: docs/parity.md names tests, and somebody has to know that they ran.
//
// Concurrency: one run at a time for one file.
//
// Guarantees: the exit code is go test's. A test that was skipped, also in part, is not in the
// file: neither is one whose package failed. The file is written at the end, whole.
//
// It will not: run a test by itself, or change what one says.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
)

func main() {
	passed := flag.String("passed", "", "write the tests that passed here, one a line: package and name")
	flag.Parse()
	code, err := run(*passed, flag.Args())
	if err != nil {
		fmt.Fprintln(os.Stderr, "testrun:", err)
		os.Exit(2)
	}
	os.Exit(code)
}

// run runs the command with -json behind "test".
func run(passed string, command []string) (int, error) {
	at := slices.Index(command, "test")
	if at < 1 || passed == "" {
		return 0, errors.New("write testrun -passed FILE -- go test PACKAGES")
	}
	if err := os.Remove(passed); err != nil && !errors.Is(err, os.ErrNotExist) {
		return 0, err // the list of an earlier run would vouch for this one
	}
	args := slices.Insert(slices.Clone(command[1:]), at, "-json")
	test := exec.Command(command[0], args...)
	test.Stderr = os.Stderr
	out, err := test.StdoutPipe()
	if err != nil {
		return 0, err
	}
	// Ctrl-C reaches the tests as well: they end, and we after them.
	signal.Notify(make(chan os.Signal, 1), os.Interrupt)
	if err := test.Start(); err != nil {
		return 0, err
	}
	r := newReader(os.Stdout)
	err = r.read(out)
	exit := (*exec.ExitError)(nil)
	if waited := test.Wait(); waited != nil && !errors.As(waited, &exit) {
		err = errors.Join(err, waited)
	}
	if err == nil {
		err = os.WriteFile(passed, []byte(strings.Join(r.list(), "")), 0o600)
	}
	return test.ProcessState.ExitCode(), err
}
