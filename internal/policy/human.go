package policy

import (
	"fmt"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/docket"
)

// Human says why the platform is to be asked to look at a case, given its plan; empty when it
// is not. It is asked once for each case: what it was told once, it knows.
func Human(in Input, p docket.Plan) string {
	switch {
	case in.Control.Doubt != "" || in.Control.Mode == config.ModeDryRun || !in.Fresh && in.Case.State != docket.Resolved || in.Case.Asked() || in.Exempt != nil:
		return ""
	case p.Reason == HumanNeeded || p.Reason == IsContested:
		return p.Text
	}
	return comesAndGoes(in)
}

// comesAndGoes catches who mends and breaks by turns until no warning is left to be sent: such
// a case may be over each time that anybody looks.
func comesAndGoes(in Input) string {
	c := in.Case
	if c.State != docket.Resolved && c.State != docket.Standing || c.Heir != "" || !c.Recurs() {
		return ""
	}
	confirmed, tries := c.Count(in.Owner.Key())
	if tries < MaxTries(in.Policy.Ladder) {
		return ""
	}
	return fmt.Sprintf("it is mended and broken again and again: %d of %d warnings confirmed in %d tries, and no more are sent",
		confirmed, in.Policy.Ladder.Warnings, tries)
}
