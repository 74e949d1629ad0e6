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
			"allows one (ladder.ackPauses). Where it allows none, the acknowledgement is on record all the same, and the exit\n" +
			"code is 2.",
		Example: "  k8guard ack c-mfrggzdfmztwq2lknnwg23tpoa --reason \"mended with the next release\"\n" +
			"  k8guard ack c-mfrggzdfmztwq2lknnwg23tpoa --reason \"mended with the next release\" --for 48h  # where ladder.ackPauses allows it",
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			if o.hold < 0 || o.hold > 30*24*time.Hour {
				return failure("--for %s: write a duration up to 720h", o.hold)
			}
			return o.ack(s, c, args[0])
		},
	}
	o.flags(c)
	c.Flags().DurationVar(&o.hold, "for", 0, "how long the ladder is to pause, where the policy allows it")
	return c
}

// ack acknowledges. A pause that was asked for and refused is a failure: a script must not take it for granted.
func (o *request) ack(s Streams, c *cobra.Command, id string) error {
	to, err := o.ready(s)
	if err != nil {
		return err
	}
	if id, err = to.caseID(c.Context(), id); err != nil {
		return err
	}
	answer, err := o.send(s, c, to, "/api/v1/cases/"+url.PathEscape(id)+"/ack", "")
	if err == nil && o.hold > 0 && answer.Until.IsZero() {
		return failure("the pause of %s was refused; the case is acknowledged all the same", o.hold)
	}
	return err
}
