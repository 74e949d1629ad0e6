package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/k8guard/k8guard/internal/manifest"
	"github.com/k8guard/k8guard/internal/rule"
	"github.com/k8guard/k8guard/internal/rule/all"
	"github.com/k8guard/k8guard/internal/scan"
)

type scanOptions struct {
	files         []string
	recursive     bool
	output        string
	config        string
	failOnUnknown bool
}

func newScan(s Streams) *cobra.Command {
	var o scanOptions
	c := &cobra.Command{
		Use:   "scan [PATH...]",
		Short: "Judge manifests by the rules, once",
		Long: "Judge manifests by the rules, once. PATH is a file, a folder, or - for stdin.\n" +
			"Exit code: 0 clean, 1 violations, 2 errors.",
		Example: "  k8guard scan ./manifests -R\n" +
			"  kustomize build . | k8guard scan - -o json\n" +
			"  k8guard scan examples/demo --config examples/demo.yaml",
		RunE: func(_ *cobra.Command, args []string) error { return runScan(s, o, append(o.files, args...)) },
	}
	c.Flags().StringArrayVarP(&o.files, "filename", "f", nil, "file or folder to judge, - for stdin; may be repeated")
	c.Flags().BoolVarP(&o.recursive, "recursive", "R", false, "also read the folders below")
	c.Flags().StringVarP(&o.output, "output", "o", "table", "table or json")
	configFlag(c, &o.config)
	c.Flags().BoolVar(&o.failOnUnknown, "fail-on-unknown", false, "exit 2 when a rule could not judge an object")
	return c
}

func runScan(s Streams, o scanOptions, paths []string) error {
	switch {
	case len(paths) == 0:
		return failure("nothing to scan: name a file, a folder, or - for stdin")
	case o.output != "table" && o.output != "json":
		return failure("no output format is called %q: use -o table or -o json", o.output)
	}
	engine, err := loadEngine(s, o.config)
	if err != nil {
		return ExitError{Code: ExitFailure, Err: err}
	}
	set, readErr := manifest.Read(paths, o.recursive, s.In)
	if readErr == nil && len(set.Items) == 0 && len(set.Skipped) == 0 {
		// A pipe whose first command failed must not turn a build green.
		return failure("nothing to judge in %s: did the command before the pipe fail? -R also reads the folders below", strings.Join(paths, ", "))
	}
	report := scan.Judge(engine, set, readErr)
	if o.output == "json" {
		err = report.PrintJSON(s.Out)
	} else {
		err = report.PrintTable(s.Out, s.Terminal && !slices.ContainsFunc(s.Env, noColour))
	}
	if err != nil {
		return ExitError{Code: ExitFailure, Err: err}
	}
	return verdict(report.Summary, o.failOnUnknown)
}

// verdict turns counts into the exit code: what could not be read outranks what was found.
func verdict(s scan.Summary, failOnUnknown bool) error {
	switch {
	case s.Errors > 0, failOnUnknown && s.Unknown > 0:
		return ExitError{Code: ExitFailure}
	case s.Violations > 0:
		return ExitError{Code: ExitViolations}
	}
	return nil
}

func noColour(entry string) bool {
	value, found := strings.CutPrefix(entry, "NO_COLOR=")
	return found && value != ""
}

func loadEngine(s Streams, file string) (*rule.Engine, error) {
	c, err := loadConfig(quiet(s), file)
	if err != nil {
		return nil, err
	}
	rules, err := all.Rules(c.Rules, c.Owners)
	if err != nil {
		return nil, err
	}
	return rule.NewEngine(rules...)
}

func failure(format string, args ...any) error {
	return ExitError{Code: ExitFailure, Err: fmt.Errorf(format, args...)}
}
