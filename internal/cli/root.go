// Package cli is the command line of K8Guard: one file for each command.
//
// Purpose: turn arguments into calls, and results into text and exit codes.
//
// Concurrency: a command from [New] runs once; two of them may run at once.
//
// Guarantees: nothing is read from or written to but the [Streams] given in, the paths
// named, ./k8guard.yaml, and the environment handed in; every failure that has an exit code of its own is
// an [ExitError].
//
// It will not: judge, exit the process, or set a template (text/template would be linked).
package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

// Streams are where a command reads and writes, and the environment it sees.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
	Env      []string // "NAME=value"
	// Terminal says that Out is one, so that colour may be used.
	Terminal bool
	Build    Build
	// Program is the path that was called: as kubectl-k8guard, it is a plugin of kubectl.
	Program string
	// Hangup begins to listen for SIGHUP, which asks for the configuration to be read again.
	Hangup func() <-chan os.Signal
	set    *[]string // --set, once it is parsed
}

// Build is what the linker was told; empty parts are taken from the build information.
type Build struct{ Version, Commit, Date string }

// The exit codes.
const (
	ExitViolations = 1
	ExitFailure    = 2
)

// ExitError ends the program with a code. A nil Err prints nothing more.
type ExitError struct {
	Code int
	Err  error
}

func (e ExitError) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("exit code %d", e.Code)
	}
	return e.Err.Error()
}

// Unwrap returns the cause.
func (e ExitError) Unwrap() error { return e.Err }

// Code is the exit code of what a command returned: 0 for nil, 2 for an unnamed failure.
func Code(err error) int {
	var exit ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.Code
	}
	return ExitFailure
}

// Message is what to print about the error, or "" where all has been said.
func Message(err error) string {
	var exit ExitError
	if err == nil || (errors.As(err, &exit) && exit.Err == nil) {
		return ""
	}
	return visible(err)
}

// New returns the root command with every command below it.
func New(s Streams) *cobra.Command {
	root := &cobra.Command{
		Use:           "k8guard",
		Short:         "Audit Kubernetes, tell the owners, and act after fair warning",
		Example:       "  k8guard scan ./manifests",
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          group,
	}
	version := root.Flags().Bool("version", false, "print the version")
	root.RunE = func(c *cobra.Command, _ []string) error {
		if *version {
			return printVersion(s, "text")
		}
		return c.Help()
	}
	root.SetIn(s.In)
	root.SetOut(s.Out)
	root.SetErr(s.Err)
	root.SetFlagErrorFunc(usage)
	s.set = root.PersistentFlags().StringArray("set", nil, "set one key of the configuration, as key.below=value; may be repeated")
	root.AddCommand(
		newRun(s),
		newDiscover(s),
		newAction(s),
		newReport(s),
		newScan(s),
		newCases(s),
		newCase(s),
		newUndo(s),
		newAck(s),
		newFreeze(s),
		newUnfreeze(s),
		newBreaker(s),
		newStatus(s),
		newProbe(s),
		newWhoOwns(s),
		newNotify(s),
		newRules(s),
		newConfig(s),
		newLedger(s),
		newDeadLetter(s),
		newVersion(s),
	)
	root.SetHelpCommand(newHelp())
	root.InitDefaultHelpCmd()
	addCompletion(root)
	asPlugin(root, s.Program)
	return root
}

// usage says what to do about a wrong flag or argument.
func usage(c *cobra.Command, err error) error {
	if words := c.Flags().Args(); c.HasSubCommands() && len(words) > 0 {
		return noCommand(c, words[0]) // its flags are another command's
	}
	if strings.Contains(err.Error(), "flag: time: ") { // a duration, as Go words it
		err = fmt.Errorf("%w; write hours, minutes and seconds, such as 48h, 90m or 1h30m", err)
	}
	return ExitError{Code: ExitFailure, Err: fmt.Errorf("%w; see %s --help", err, c.CommandPath())}
}

func arguments(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if err := check(c, args); err != nil {
			return usage(c, err)
		}
		return nil
	}
}
