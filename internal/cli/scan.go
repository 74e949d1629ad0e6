package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/manifest"
	"github.com/k8guard/k8guard/internal/rule"
	"github.com/k8guard/k8guard/internal/rule/all"
	"github.com/k8guard/k8guard/internal/scan"
)

type scanOptions struct {
	scanInput
	output, config        string
	failOnUnknown, strict bool
}

func newScan(s Streams) *cobra.Command {
	var o scanOptions
	c := &cobra.Command{
		Use:   "scan [PATH...]",
		Short: "Judge manifests, a chart or the current cluster by the rules, once",
		Long: "Judge manifests by the rules, once. PATH is a file, a folder, or - for stdin; -k takes a kustomization,\n" +
			"--chart a Helm chart (rendered by your own helm), and --cluster the cluster that kubectl would reach, which\n" +
			"is only read.\n" +
			"Exit code: 0 clean, 1 violations, 2 errors.",
		Example: "  k8guard scan ./manifests -R\n" +
			"  kustomize build . | k8guard scan - -o json\n" +
			"  k8guard scan -k overlays/prod -o sarif > k8guard.sarif\n" +
			"  k8guard scan --chart ./chart --values prod.yaml\n" +
			"  k8guard scan --cluster -n shop\n" +
			"  k8guard scan examples/demo --config examples/demo.yaml",
		RunE: func(c *cobra.Command, args []string) error {
			o.files = append(o.files, args...)
			return runScan(c.Context(), s, o)
		},
	}
	o.flags(c)
	c.Flags().StringVarP(&o.output, "output", "o", "table", strings.Join(scanOutputs(), ", "))
	configFlag(c, &o.config)
	c.Flags().BoolVar(&o.failOnUnknown, "fail-on-unknown", false, "exit 2 when a rule could not judge an object")
	c.Flags().BoolVar(&o.strict, "strict", false, "as --fail-on-unknown, and exit 2 on a warning or a document that is no Kubernetes object, too")
	complete(c, "output", scanOutputs()...)
	return c
}

func scanOutputs() []string { return []string{"table", "json", "sarif", "junit"} }

func runScan(ctx context.Context, s Streams, o scanOptions) error {
	if !slices.Contains(scanOutputs(), o.output) {
		return failure("no output format is called %q: use -o %s", o.output, strings.Join(scanOutputs(), ", -o "))
	}
	if err := o.check(); err != nil {
		return err
	}
	conf, err := loadConfig(s, o.config)
	if err != nil {
		return ExitError{Code: ExitFailure, Err: err}
	}
	engine, err := newEngine(conf)
	if err != nil {
		return ExitError{Code: ExitFailure, Err: err}
	}
	report, err := o.judge(ctx, s, conf, engine)
	if err != nil {
		return ExitError{Code: ExitFailure, Err: err}
	}
	if err := o.print(s, report, engine.Rules()); err != nil {
		return ExitError{Code: ExitFailure, Err: err}
	}
	if o.strict && (len(report.Warnings) > 0 || report.Skipped[manifest.NoObject] > 0) {
		return ExitError{Code: ExitFailure}
	}
	return verdict(report.Summary, o.failOnUnknown || o.strict)
}

func (o scanOptions) print(s Streams, r scan.Report, rules []rule.Meta) error {
	switch o.output {
	case "json":
		return r.PrintJSON(s.Out)
	case "sarif":
		return r.PrintSARIF(s.Out, rules, s.Build.Version)
	case "junit":
		return r.PrintJUnit(s.Out)
	}
	return r.PrintTable(s.Out, s.Terminal && !slices.ContainsFunc(s.Env, noColour))
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

func newEngine(c config.Config) (*rule.Engine, error) {
	rules, err := all.Rules(c.Rules, c.Owners)
	if err != nil {
		return nil, err
	}
	return rule.NewEngine(rules...)
}

func failure(format string, args ...any) error {
	return ExitError{Code: ExitFailure, Err: fmt.Errorf(format, args...)}
}
