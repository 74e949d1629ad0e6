package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/k8guard/k8guard/internal/app"
	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/scan"
)

// configHere is the file that is read where none is named.
const configHere = "k8guard.yaml"

func newConfig(s Streams) *cobra.Command {
	c := &cobra.Command{
		Use: "config", Short: "Check and print the configuration", Example: "  k8guard config check",
		Args: group,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newConfigCheck(s), newConfigPrint(s), newConfigMigrate(s))
	return c
}

func newConfigCheck(s Streams) *cobra.Command {
	var file string
	c := &cobra.Command{
		Use: "check", Short: "Say what is wrong with the configuration",
		Long:    "Say what is wrong with the configuration, and what to write instead.\nExit code: 0 usable, 2 not.",
		Example: "  k8guard config check --config k8guard.yaml",
		Args:    arguments(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			conf, err := loadAndWarn(s, file)
			if err == nil {
				err = app.Check(conf)
			}
			if err != nil {
				return ExitError{Code: ExitFailure, Err: err}
			}
			if err := warn(s, app.Doubts(conf)); err != nil {
				return err
			}
			_, err = fmt.Fprintln(s.Out, "the configuration is usable")
			return err
		},
	}
	configFlag(c, &file)
	return c
}

func newConfigPrint(s Streams) *cobra.Command {
	var file, output string
	c := &cobra.Command{
		Use: "print", Short: "Print the configuration in force, with secrets masked",
		Long: "Print the configuration in force: defaults, file, environment and --set in one. Secrets are masked, and\n" +
			"a masked secret is refused when it is read back.",
		Example: "  k8guard config print -o json",
		Args:    arguments(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			conf, err := loadConfig(s, file)
			if err != nil {
				return ExitError{Code: ExitFailure, Err: err}
			}
			return printConfig(s, conf, output)
		},
	}
	configFlag(c, &file)
	c.Flags().StringVarP(&output, "output", "o", "yaml", "yaml or json")
	complete(c, "output", "yaml", "json")
	return c
}

func printConfig(s Streams, c config.Config, output string) error {
	var text []byte
	var err error
	switch output {
	case "yaml":
		text, err = c.YAML()
	case "json":
		text, err = c.JSON()
	default:
		return failure("no output format is called %q: use -o yaml or -o json", output)
	}
	if err != nil {
		return ExitError{Code: ExitFailure, Err: err}
	}
	_, err = fmt.Fprintln(s.Out, strings.TrimSuffix(string(text), "\n"))
	return err
}

// configFlag is the same flag wherever a command reads the configuration.
func configFlag(c *cobra.Command, file *string) {
	c.Flags().StringVarP(file, "config", "c", "", "configuration file (default: $K8GUARD_CONFIG, else ./"+configHere+" if there, else defaults)")
}

// loadConfig reads the configuration that --config, the environment or the working folder
// names. Its warnings are left to the commands that are about it; see [loadAndWarn].
func loadConfig(s Streams, file string) (config.Config, error) {
	c, _, err := load(s, file)
	return c, err
}

// loadAndWarn is loadConfig, and prints the warnings.
func loadAndWarn(s Streams, file string) (config.Config, error) {
	c, warnings, err := load(s, file)
	if err != nil {
		return config.Config{}, err
	}
	return c, warn(s, warnings)
}

func warn(s Streams, warnings []config.Warning) error {
	for _, w := range warnings {
		if _, err := fmt.Fprintln(s.Err, "warning: "+scan.Visible(w.String())); err != nil {
			return fmt.Errorf("print the warnings: %w", err)
		}
	}
	return nil
}

func load(s Streams, file string) (config.Config, []config.Warning, error) {
	file, err := configFile(s, file)
	if err != nil {
		return config.Config{}, nil, err
	}
	ids, err := ruleIDs()
	if err != nil {
		return config.Config{}, nil, err
	}
	source := config.Source{File: file, Env: s.Env, Rules: ids}
	if s.set != nil {
		source.Set = *s.set
	}
	return config.Load(source)
}

func configFile(s Streams, named string) (string, error) {
	if named != "" {
		return named, nil
	}
	for _, line := range s.Env {
		if value, ok := strings.CutPrefix(line, "K8GUARD_CONFIG="); ok && value != "" {
			return value, nil
		}
	}
	_, err := os.Stat(configHere)
	switch {
	case err == nil:
		return configHere, nil
	case errors.Is(err, fs.ErrNotExist):
		return "", nil
	}
	return "", fmt.Errorf("look for ./%s: %w; name a file with --config", configHere, err)
}

func ruleIDs() (ids []string, err error) {
	all, err := metas()
	for _, m := range all {
		ids = append(ids, m.ID)
	}
	return ids, err
}

// visible makes an error safe to print: one line, or one for each mistake that
// [errors.Join] joined, where only we can begin a line.
func visible(err error) string {
	var joined interface{ Unwrap() []error }
	if errors.As(err, &joined) {
		var raw, lines []string
		for _, one := range joined.Unwrap() {
			raw, lines = append(raw, one.Error()), append(lines, visible(one))
		}
		if strings.Join(raw, "\n") == err.Error() {
			return strings.Join(lines, "\n")
		}
	}
	return scan.Visible(err.Error())
}
