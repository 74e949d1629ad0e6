package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/rule/all"
	"github.com/k8guard/k8guard/internal/scan"
)

// secretsHere is where secrets are expected when no folder is named.
const secretsHere = "/etc/k8guard/secrets" //nolint:gosec // a folder

type migrateFlags struct {
	envFiles, manifests []string
	secrets             string
}

func newConfigMigrate(s Streams) *cobra.Command {
	var f migrateFlags
	c := &cobra.Command{
		Use: "migrate", Short: "Turn a first K8Guard's variables into a configuration file",
		Long: "Turn the K8GUARD_ variables of a first K8Guard into a configuration file, with a comment for each: what it became, or\n" +
			"why it has no place. They are those of this environment, unless files name them. Secrets are never printed: the file\n" +
			"names files for them, which --secrets writes.\nExit code: 0 printed, 2 a value cannot be taken over, or there was none.",
		Example: "  k8guard config migrate >k8guard.yaml\n  k8guard config migrate --env-file k8guard.env --secrets ./secrets\n" +
			"  kubectl get configmap,secret -n k8guard -o yaml | k8guard config migrate -f -",
		Args: arguments(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error { return migrate(s, f) },
	}
	c.Flags().StringArrayVar(&f.envFiles, "env-file", nil, "file of NAME=value lines; may be repeated, the last one wins")
	c.Flags().StringArrayVarP(&f.manifests, "filename", "f", nil, "manifest of a ConfigMap or a Secret, - for stdin; may be repeated, the last one wins")
	c.Flags().StringVar(&f.secrets, "secrets", "", "write each secret into a file of its own in this folder (default: name "+secretsHere+", and write none)")
	return c
}

func migrate(s Streams, f migrateFlags) error {
	env, err := oldVariables(s, f)
	if err != nil {
		return ExitError{Code: ExitFailure, Err: err}
	}
	ids, err := ruleIDs()
	if err != nil {
		return err
	}
	folder := secretsHere
	if f.secrets != "" {
		if folder, err = filepath.Abs(f.secrets); err != nil {
			return fmt.Errorf("name the folder of --secrets: %w", err)
		}
	}
	m, some, err := config.Migrate(env, ids, folder)
	switch {
	case err != nil:
		return ExitError{Code: ExitFailure, Err: err}
	case !some:
		return failure("no variable of a first K8Guard is set; name where they are with --env-file or -f")
	}
	if err := rulesOf(m.YAML); err != nil {
		return ExitError{Code: ExitFailure, Err: err}
	}
	if f.secrets != "" {
		if err := writeSecrets(folder, m.Secrets); err != nil {
			return ExitError{Code: ExitFailure, Err: err}
		}
	}
	if err := warn(s, m.Warnings); err != nil {
		return err
	}
	_, err = s.Out.Write(m.YAML)
	return err
}

// rulesOf makes the rules that the new file asks for: what it prints, "config check" takes.
func rulesOf(text []byte) error {
	cfg, _, err := config.LoadBytes(text, config.Source{File: "the new configuration"})
	if err == nil {
		_, err = all.Rules(cfg.Rules, cfg.Owners)
	}
	if err != nil {
		return fmt.Errorf("what the variables say cannot be judged by: %w", err)
	}
	return nil
}

// oldVariables reads what the flags name, or else the environment. A name in a file that the
// first K8Guard did not know is probably a slip; in an environment Kubernetes sets such.
func oldVariables(s Streams, f migrateFlags) (env []string, err error) {
	if len(f.envFiles)+len(f.manifests) == 0 {
		return s.Env, nil
	}
	for _, name := range f.envFiles {
		some, err := oldFile(s, name, config.EnvFile)
		if err != nil {
			return nil, err
		}
		env = append(env, some...)
	}
	for _, name := range f.manifests {
		some, err := oldFile(s, name, config.Manifest)
		if err != nil {
			return nil, err
		}
		env = append(env, some...)
	}
	for _, line := range env {
		name, _, _ := strings.Cut(line, "=")
		if strings.HasPrefix(name, config.OldPrefix) && !config.IsOld(name) {
			if _, err := fmt.Fprintln(s.Err, "warning: "+scan.Visible(name)+": no first K8Guard read this; it is left out"); err != nil {
				return nil, fmt.Errorf("print the warnings: %w", err)
			}
		}
	}
	return env, nil
}

func oldFile(s Streams, name string, read func([]byte, string) ([]string, error)) ([]string, error) {
	if name == "-" {
		data, err := io.ReadAll(io.LimitReader(s.In, stdinLimit))
		if err != nil {
			return nil, fmt.Errorf("read standard input: %w", err)
		}
		return read(data, "standard input")
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("read the variables: %w; name a readable file", err)
	}
	return read(data, name)
}

// stdinLimit is above what config reads, so that more is refused there and not cut.
const stdinLimit = 8 << 20

// writeSecrets writes each into a file for this user alone. One that is there stays, unless
// it is the same: it may be newer.
func writeSecrets(folder string, secrets []config.MovedSecret) error {
	if len(secrets) == 0 {
		return nil
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fmt.Errorf("make the folder of --secrets: %w", err)
	}
	for _, one := range secrets {
		if err := writeSecret(filepath.FromSlash(one.File), one.Value.Reveal()); err != nil {
			return fmt.Errorf("%s: %w", one.Variable, err)
		}
	}
	return nil
}

func writeSecret(path, value string) error {
	if there, err := os.ReadFile(path); err == nil {
		if string(there) == value+"\n" {
			return nil
		}
		return fmt.Errorf("%s is there and holds something else; move it away, or name another folder", path)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("look for the secret's file: %w", err)
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("write the secret's file: %w", err)
	}
	_, err = file.WriteString(value + "\n")
	return errors.Join(err, file.Close())
}
