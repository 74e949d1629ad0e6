package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/k8guard/k8guard/internal/app"
	"github.com/k8guard/k8guard/internal/ledger/move"
	"github.com/k8guard/k8guard/internal/telemetry"
)

// toldEvery is how often the progress is told on a terminal.
const toldEvery = 200 * time.Millisecond

func newLedgerExport(s Streams) *cobra.Command {
	var file, output string
	c := &cobra.Command{
		Use: "export FILE", Short: "Write the whole ledger into a file",
		Long: "Write the whole ledger of the configuration into a new file: every docket with its history, and every record. It is\n" +
			"JSON, one line for each, with a SHA-256 at its end; \"k8guard ledger import\" reads it, into a ledger of either kind.\n" +
			"To move a ledger, stop every K8Guard that writes it first: what happens after the export is not in the file.",
		Example: "  k8guard ledger export ledger.jsonl\n  k8guard ledger export - | zstd > ledger.jsonl.zst",
		Args:    arguments(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			return withLedger(c, s, file, output, func(ctx context.Context, a app.Settings) error {
				var end move.End
				err := newFile(args[0], s.Out, func(to io.Writer) (err error) {
					end, err = app.ExportLedger(ctx, a, to, progress(s))
					return err
				})
				if err != nil {
					return err
				}
				to := s.Out
				if args[0] == "-" {
					to = s.Err
				}
				if output == "json" {
					return json.NewEncoder(to).Encode(end)
				}
				_, err = fmt.Fprintf(to, "%d dockets, %d lines of history and %d records are in %s\n", end.Dockets, end.Lines, end.Records, args[0])
				return err
			})
		},
	}
	ledgerFlags(c, &file, &output)
	return c
}

func newLedgerImport(s Streams) *cobra.Command {
	var file, output string
	var verify bool
	c := &cobra.Command{
		Use: "import FILE", Short: "Fill an empty ledger from a file",
		Long: "Fill the ledger of the configuration from a file that \"k8guard ledger export\" wrote. The ledger must be empty; an import\n" +
			"that was cut off goes on with the same file, and until it has ended no K8Guard starts on the ledger. It gets an identity of\n" +
			"its own: on a cluster where the old one was at work nobody is told and nothing is done until a person decides.",
		Example: "  k8guard ledger import ledger.jsonl --config services.yaml",
		Args:    arguments(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			return withLedger(c, s, file, output, func(ctx context.Context, a app.Settings) error {
				r, err := app.ImportLedger(ctx, a, args[0], verify, progress(s))
				if err != nil {
					return err
				}
				if output == "json" {
					return json.NewEncoder(s.Out).Encode(r)
				}
				_, err = fmt.Fprintf(s.Out, "%d dockets, %d lines of history and %d records are in the ledger; it is %s now\n%s\n", r.Dockets, r.Lines, r.Records, r.ID, next(r))
				return err
			})
		},
	}
	ledgerFlags(c, &file, &output)
	c.Flags().BoolVar(&verify, "verify", true, "read everything back and compare it with the file")
	return c
}

func next(r move.Result) string {
	text := "Start K8Guard on it, and never again on the old one."
	if r.From != "" {
		text += " The old ledger was at work: where it was, this one tells nobody until you close the breaker with --accept-ledger; see docs/operators/upgrade.md."
	}
	if !r.Verified {
		text += " Nothing was read back."
	}
	return text
}

func ledgerFlags(c *cobra.Command, file, output *string) {
	configFlag(c, file)
	c.Flags().StringVarP(output, "output", "o", "table", "table or json")
	complete(c, "output", "table", "json")
}

// withLedger runs what needs the ledger of the configuration.
func withLedger(c *cobra.Command, s Streams, file, output string, do func(context.Context, app.Settings) error) error {
	if output != "table" && output != "json" {
		return failure("no output format is called %q: use -o table or -o json", output)
	}
	conf, err := loadConfig(s, file)
	if err != nil {
		return ExitError{Code: ExitFailure, Err: err}
	}
	if err := do(c.Context(), app.Settings{Config: conf, Version: s.Build.Version, Log: telemetry.NewLogger(s.Err, conf.Log), Now: time.Now}); err != nil {
		return ExitError{Code: ExitFailure, Err: err}
	}
	return nil
}

// progress tells how far it is, where somebody sees it.
func progress(s Streams) move.Progress {
	if !s.Terminal {
		return nil
	}
	var last time.Time
	return func(what string, n, of int) {
		if now := time.Now(); now.Sub(last) >= toldEvery {
			last = now
			_, _ = fmt.Fprintf(s.Err, "%s: %d of %d\n", what, n, of)
		}
	}
}

// newFile writes a file that is there whole or not at all, and is its owner's alone; "-" is out.
func newFile(name string, out io.Writer, write func(io.Writer) error) error {
	if name == "-" {
		return write(out)
	}
	if _, err := os.Lstat(name); !errors.Is(err, os.ErrNotExist) {
		return errors.Join(fmt.Errorf("%s is there already; name a new file", name), err)
	}
	part, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*") // 0600
	if err != nil {
		return err
	}
	err = errors.Join(write(part), part.Sync(), part.Close())
	if err != nil {
		return errors.Join(err, os.Remove(part.Name()))
	}
	return os.Rename(part.Name(), name)
}
