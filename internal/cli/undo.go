package cli

import (
	"fmt"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/report"
)

func newUndo(s Streams) *cobra.Command {
	var b batch
	c := &cobra.Command{
		Use:   "undo CASE | --since DURATION",
		Short: "Take back what was done about a case, or all that was done lately",
		Long: "Take back what was done about a case: the recorded prior state is restored, if what is there is still K8Guard's.\n" +
			"With --since every act of the last so long is taken back, one after the other. It works under a freeze; freeze\n" +
			"first if nothing more is to be done meanwhile. A CronJob that is resumed starts a run that it missed at once.\n" +
			"With --dry-run it is said what would be taken back, and nothing is done.\n\n" +
			"Undos are a sign of a wrong rule: enforce.breaker.undosPerHour of them (2 by default) within an hour open the circuit\n" +
			"breaker of the cluster, and nothing more is acted on there until a person says k8guard breaker close. The command says\n" +
			"so when it happens, and when it is open already. The undos themselves go on.",
		Example: "  k8guard undo c-mfrggzdfmztwq2lknnwg23tpoa --dry-run\n" +
			"  k8guard undo c-mfrggzdfmztwq2lknnwg23tpoa --reason \"needed for the release\"\n" +
			"  k8guard undo --since 2h --reason \"the new rule was wrong\" --every 5s",
		Args: arguments(cobra.MaximumNArgs(1)), ValidArgsFunction: noWords,
		RunE: func(c *cobra.Command, args []string) error {
			if err := b.meant(c, args); err != nil {
				return err
			}
			if len(args) == 0 {
				return b.run(s, c)
			}
			return b.single(s, c, args[0])
		},
	}
	b.request.flags(c)
	b.flags(c)
	return c
}

// meant refuses what can be read in two ways: to take back too much, or to do what was to be
// tried only, is worse than to ask again.
func (b *batch) meant(c *cobra.Command, args []string) error {
	since := c.Flags().Changed("since")
	switch {
	case len(args) == 1 && since:
		return failure("a case and --since were named: write one of them, k8guard undo CASE or k8guard undo --since 2h")
	case len(args) == 0 && !since:
		return failure("name a case, or a time with --since, such as --since 2h")
	case since && b.since <= 0:
		return failure("--since %s: write a time of more than zero, such as 2h: what was done within it is taken back", b.since)
	case since:
		return nil
	}
	for _, name := range []string{"namespace", "every"} {
		if c.Flags().Changed(name) {
			return failure("--%s counts with --since only, and a case was named: leave it out", name)
		}
	}
	return nil
}

// opened says that the undos opened the breaker, beside an answer that is for a program.
func (b *batch) opened(s Streams, c *cobra.Command, before fuse) {
	to := s.Out
	if b.output == "json" {
		to = s.Err
	}
	if !b.dryRun {
		before.tell(c.Context(), to)
	}
}

// single takes one case's act back.
func (b *batch) single(s Streams, c *cobra.Command, id string) error {
	if b.dryRun {
		return b.would(s, c, id)
	}
	to, err := b.ready(s)
	if err != nil {
		return err
	}
	if id, err = to.caseID(c.Context(), id); err != nil {
		return err
	}
	before := look(c.Context(), to)
	if _, err := b.send(s, c, to, "/api/v1/cases/"+url.PathEscape(id)+"/undo", ""); err != nil {
		return err
	}
	b.opened(s, c, before)
	return nil
}

// would says what the undo of a case takes back, and does nothing. What an undo would refuse is
// refused here in the same words.
func (b *batch) would(s Streams, c *cobra.Command, id string) error {
	if err := known(b.output); err != nil {
		return err
	}
	to, err := b.client(s)
	if err != nil {
		return err
	}
	if id, err = to.caseID(c.Context(), id); err != nil {
		return err
	}
	var view report.CaseView
	if err := to.call(c.Context(), http.MethodGet, "/api/v1/cases/"+url.PathEscape(id), nil, &view); err != nil {
		return ExitError{Code: ExitFailure, Err: err}
	}
	if _, _, err := docket.BeginUndo(view.Docket, docket.Undo{Case: id}); err != nil {
		return ExitError{Code: ExitFailure, Err: err}
	}
	e := view.Docket.Enforcement
	return print(s, b.output, undone{Root: view.Docket.Root.String(), Case: id, Action: e.Action}, fmt.Sprintf(
		"would take back %s of %s (before it: %s), if what is there is still K8Guard's; nothing was done", e.Action, view.Docket.Root, e.Prior.Text()))
}
