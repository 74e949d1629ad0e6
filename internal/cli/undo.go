package cli

import (
	"net/url"

	"github.com/spf13/cobra"
)

func newUndo(s Streams) *cobra.Command {
	var b batch
	c := &cobra.Command{
		Use:   "undo CASE | --since DURATION",
		Short: "Take back what was done about a case, or all that was done lately",
		Long: "Take back what was done about a case: the recorded prior state is restored, if what is there is still K8Guard's.\n" +
			"With --since every act of the last so long is taken back, one after the other. It works under a freeze; freeze\n" +
			"first if nothing more is to be done meanwhile. A CronJob that is resumed starts a run that it missed at once.\n\n" +
			"Undos are a sign of a wrong rule: enforce.breaker.undosPerHour of them (2 by default) within an hour open the circuit\n" +
			"breaker, and nothing more is acted on anywhere until a person says k8guard breaker close. The command says so when it\n" +
			"happens. The undos themselves go on.",
		Example: "  k8guard undo c-mfrggzdfmztwq2lknnwg23tpoa --reason \"needed for the release\"\n" +
			"  k8guard undo --since 2h --reason \"the new rule was wrong\" --every 5s",
		Args: arguments(cobra.MaximumNArgs(1)), ValidArgsFunction: noWords,
		RunE: func(c *cobra.Command, args []string) error {
			switch {
			case (len(args) == 1) == (b.since != 0):
				return failure("name a case, or a time with --since, such as --since 2h")
			case len(args) == 0:
				return b.run(s, c)
			}
			return b.single(s, c, args[0])
		},
	}
	b.request.flags(c)
	b.flags(c)
	return c
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
