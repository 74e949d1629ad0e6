package ledger

import (
	"strings"
	"time"

	"github.com/k8guard/k8guard/internal/docket"
)

// Statuses are all that there are, most urgent first.
func Statuses() []string {
	return []string{StatusOpen, StatusNeedsHuman, StatusActed, StatusUndone, StatusContested, StatusExempt, StatusStanding, StatusResolved}
}

// Status is the one word for where a case of the docket stands: on pages, in JSON, CSV and filters, and for
// commands. It is the case's state, but for open cases that policy holds, and for what was undone.
func Status(d docket.Docket, c docket.Case) string {
	switch {
	case c.State == docket.Acted && d.Undone():
		return StatusUndone
	case needsHuman(c):
		return StatusNeedsHuman
	case c.State == docket.Open && c.Plan.Reason == "exempt":
		return StatusExempt
	}
	return string(c.State)
}

func needsHuman(c docket.Case) bool {
	return c.State == docket.Open && c.Plan.Reason == "needs-human"
}

// Held says in words what holds a case until the date of its plan: a pause after an undo or
// an acknowledgement, or an exemption. Empty when the date is that of a step, or there is none.
func Held(c docket.Case) string {
	if c.Plan.At.IsZero() {
		return ""
	}
	switch c.Plan.Reason {
	case "cool-off":
		return "undone, cooling off"
	case "acknowledged":
		return "paused"
	case "exempt":
		return "exempt"
	}
	return ""
}

// PersonDecides is the next step of a case that K8Guard leaves to people.
const PersonDecides = "a person decides"

// Next is the step that comes next, in the plan's words, and when; a zero time where it has
// no date. In a dry run it is what would come, as a sentence. Where a person must decide, the date on which K8Guard asks again is no step.
func Next(c docket.Case) (step string, at time.Time) {
	switch {
	case needsHuman(c), c.State == docket.Contested:
		return PersonDecides, time.Time{}
	case c.Plan.Reason == "refused" && c.Plan.Next != "":
		return c.Plan.Next + ", refused by the gate and asked again", c.Plan.At
	case c.Plan.Next != "":
		return c.Plan.Next, c.Plan.At
	case c.Plan.Reason == "dry-run":
		if _, would, ok := strings.Cut(c.Plan.Text, docket.Otherwise); ok {
			return "otherwise: " + would, time.Time{}
		}
	}
	return c.Plan.Step, c.Plan.At
}

// Asks says what a person is to do about a case that K8Guard leaves to people; empty for others.
func Asks(c docket.Case) string {
	if step, _ := Next(c); step != PersonDecides {
		return ""
	}
	const asks = "mend what violates, exempt it, or see to what the plan names; acknowledge it to say that it was seen"
	if needsHuman(c) && !c.Plan.At.IsZero() {
		return asks + "; K8Guard tries again at " + c.Plan.At.UTC().Format(time.RFC3339)
	}
	return asks
}

// Seen says who acknowledged a case, and until when its ladder pauses for that; empty where nobody did.
func Seen(c docket.Case) string {
	if c.Ack == nil {
		return ""
	}
	text := "acknowledged by " + c.Ack.By
	if !c.Ack.Until.IsZero() {
		text += " until " + c.Ack.Until.UTC().Format(time.RFC3339)
	}
	return text
}
