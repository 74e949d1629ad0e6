package docket

import (
	"fmt"
	"time"
)

// Ack says that a person has seen a case. What follows from it, policy decides.
type Ack struct {
	By     string    `json:"by"`
	Reason string    `json:"reason"`
	At     time.Time `json:"at"`
	// Until is how long the person asks to be left alone; zero does not ask.
	Until time.Time `json:"until,omitzero"`
	// First is when the case was acknowledged first: a pause counts from there, so that asking
	// again and again does not prolong it.
	First time.Time `json:"first"`
}

// Acknowledge records that a person has seen a case that is not over.
func Acknowledge(d Docket, id string, a Ack) (Docket, []Entry, error) {
	d = d.clone()
	c := d.Find(id)
	switch {
	case c == nil:
		return d, nil, fmt.Errorf("case %s is not in this docket any more", id)
	case c.State == Resolved:
		return d, nil, fmt.Errorf("case %s is resolved: there is nothing to acknowledge", id)
	}
	a.First = a.At
	if c.Ack != nil {
		a.First = c.Ack.First
	}
	c.Ack = &a
	text := fmt.Sprintf("acknowledged by %s: %s", a.By, a.Reason)
	if !a.Until.IsZero() {
		text += ", until " + a.Until.UTC().Format(time.RFC3339)
	}
	return d, []Entry{{At: a.At, Kind: EntryAcknowledged, Case: id, Text: text}}, nil
}
