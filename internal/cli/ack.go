package cli

import (
	"net/url"
	"time"

	"github.com/spf13/cobra"
)

func newAck(s Streams) *cobra.Command {
	var o request
	c := &cobra.Command{
		Use:   "ack CASE",
		Short: "Say that a case was seen",
		Long: "Say that a case was seen, for the record. Its ladder goes on, unless --for asks for a pause and the case's policy\n" +
			"allows one (ladder.ackPauses).",
		Example: "  k8guard ack c-mfrggzdfmztwq2lknnwg23tpoa --reason \"mended with the next release\" --for 48h",
		Args:    arguments(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			if o.hold < 0 || o.hold > 30*24*time.Hour {
				return failure("--for %s: write a duration up to 720h", o.hold)
			}
			return o.post(s, c, "/api/v1/cases/"+url.PathEscape(args[0])+"/ack", "")
		},
	}
	o.flags(c)
	c.Flags().DurationVar(&o.hold, "for", 0, "how long the ladder is to pause, where the policy allows it")
	return c
}
