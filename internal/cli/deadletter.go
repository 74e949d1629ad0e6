package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/k8guard/k8guard/internal/app"
	"github.com/k8guard/k8guard/internal/scan"
	"github.com/k8guard/k8guard/internal/telemetry"
)

// letterLimit bounds how long Kafka may take to tell.
const letterLimit = 2 * time.Minute

func newDeadLetter(s Streams) *cobra.Command {
	c := &cobra.Command{
		Use: "deadletter", Short: "Look at what nobody could read on the bus, and say it again",
		Example: "  k8guard deadletter list", Args: group,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newLetterList(s), newLetterReplay(s))
	return c
}

func newLetterList(s Streams) *cobra.Command {
	var file, output string
	c := &cobra.Command{
		Use: "list", Short: "List the messages that nobody could read, with the reason",
		Long:    "List the messages that nobody could read, with the reason and the place where they were. They stay until the topic's retention.",
		Example: "  k8guard deadletter list -o json", Args: arguments(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			if output != "table" && output != "json" {
				return failure("no output format is called %q: use -o table or -o json", output)
			}
			return withBus(c, s, file, func(ctx context.Context, a app.Settings) error {
				letters, err := app.DeadLetters(ctx, a)
				if err != nil {
					return err
				}
				return showLetters(s, letters, output)
			})
		},
	}
	configFlag(c, &file)
	c.Flags().StringVarP(&output, "output", "o", "table", "table or json")
	complete(c, "output", "table", "json")
	return c
}

func showLetters(s Streams, letters []app.Letter, output string) error {
	if output == "json" {
		if letters == nil {
			letters = []app.Letter{}
		}
		return json.NewEncoder(s.Out).Encode(letters)
	}
	if len(letters) == 0 {
		_, err := fmt.Fprintln(s.Out, "no dead letters")
		return err
	}
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Options = table.OptionsNoBordersAndSeparators
	t.AppendHeader(table.Row{"letter", "since", "was at", "key", "bytes", "reason"})
	for _, l := range letters {
		t.AppendRow(table.Row{l.ID(), l.At.Format(time.RFC3339), scan.Visible(l.From), scan.Visible(l.Key), l.Bytes, scan.Visible(l.Reason)})
	}
	_, err := fmt.Fprintln(s.Out, t.Render())
	return err
}

func newLetterReplay(s Streams) *cobra.Command {
	var file string
	var all bool
	c := &cobra.Command{
		Use: "replay [PARTITION/OFFSET]", Short: "Say a dead letter again, or all of them",
		Long: "Say a dead letter again, or with --all each of them: after an upgrade to a K8Guard that can read them. To say one twice\n" +
			"does no harm: what is older than what was said since is dropped.",
		Example: "  k8guard deadletter replay 0/17\n  k8guard deadletter replay --all", Args: arguments(cobra.MaximumNArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			if all == (len(args) == 1) {
				return failure("name one letter, as PARTITION/OFFSET, or write --all; k8guard deadletter list shows them")
			}
			id := ""
			if !all {
				id = args[0]
			}
			return withBus(c, s, file, func(ctx context.Context, a app.Settings) error {
				n, err := app.Replay(ctx, a, id)
				_, _ = fmt.Fprintf(s.Out, "%d said again\n", n)
				return err
			})
		},
	}
	configFlag(c, &file)
	c.Flags().BoolVar(&all, "all", false, "all of them")
	return c
}

// withBus runs what needs the bus of the configuration.
func withBus(c *cobra.Command, s Streams, file string, do func(context.Context, app.Settings) error) error {
	conf, err := loadConfig(s, file)
	if err != nil {
		return ExitError{Code: ExitFailure, Err: err}
	}
	ctx, cancel := context.WithTimeout(c.Context(), letterLimit)
	defer cancel()
	if err := do(ctx, app.Settings{Config: conf, Version: s.Build.Version, Log: telemetry.NewLogger(s.Err, conf.Log), Now: time.Now}); err != nil {
		return ExitError{Code: ExitFailure, Err: err}
	}
	return nil
}
