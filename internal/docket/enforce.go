package docket

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Intend records that a hard action is about to be tried. It fails when the docket has
// seen one already: one root gets one enforcement. An intent that follows a refusal is not
// told, nor the same refusal again: history would fill with what does not happen.
func Intend(d Docket, e Enforcement) (Docket, []Entry, error) {
	if d.Enforcement != nil {
		return d, nil, fmt.Errorf("docket %s: has an enforcement already (%s, %s)", d.Key, d.Enforcement.ID, d.Enforcement.State)
	}
	d = d.clone()
	e.State = Intent
	d.Enforcement = &e
	if d.Refusal != nil {
		return d, nil, nil // asked again: what comes of it is told if it is something else
	}
	return d, d.each(e, EntryIntent, e.IntentAt, fmt.Sprintf("intends to %s", e.Action)), nil
}

// SetPrior stores the state before the act, as read just before it, and the grant. Of what
// was sent on an earlier state, the server has said that it was not done.
func SetPrior(d Docket, p Prior, grant string) Docket {
	d = d.clone()
	d.Enforcement.Prior, d.Enforcement.Grant, d.Enforcement.Sending = p, grant, time.Time{}
	return d
}

// SetSending records that the act goes out now: from here on its outcome is open.
func SetSending(d Docket, at time.Time) Docket {
	d = d.clone()
	d.Enforcement.Sending = at
	return d
}

// Refuse takes an intent back: the gate said no, nothing was done.
func Refuse(d Docket, r Refusal) (Docket, []Entry) {
	if d.Enforcement == nil || d.Enforcement.State != Intent {
		return d, nil
	}
	d = d.clone()
	e, again := *d.Enforcement, d.Refusal != nil && d.Refusal.Same(r.Rule, r.Text)
	d.Enforcement, d.Refusal = nil, &r
	if again && len(e.Fences) == 0 {
		return d, nil
	}
	entries := d.each(e, EntryRefused, r.At, fmt.Sprintf("gate rule %d, %s: %s", r.Rule, r.Name, r.Text))
	// A fence is a write that we made: it stays on record though the act did not happen.
	for i := range entries {
		entries[i].Data["enforcement"] = e.ID
	}
	return d, entries
}

// Contest takes an intent back whose value something put back at once: nothing is in force,
// and nothing is tried again while one of its cases lasts.
func Contest(d Docket, r Refusal) (Docket, []Entry) {
	if d.Enforcement == nil || d.Enforcement.State != Intent {
		return d, nil
	}
	d = d.clone()
	e := *d.Enforcement
	d.Enforcement, d.Refusal = nil, &r
	for _, id := range e.Cases {
		if c := d.Find(id); c != nil && c.State == Open {
			c.State = Contested
		}
	}
	return d, d.each(e, EntryContested, r.At, r.Text+"; K8Guard stops here")
}

// Did records that the act took effect.
func Did(d Docket, written, settled string, at time.Time) (Docket, []Entry) {
	if d.Enforcement == nil || d.Enforcement.State != Intent {
		return d, nil
	}
	d = d.clone()
	e := d.Enforcement
	e.State, e.DoneAt, e.Written, e.Settled = Done, at, written, settled
	for _, id := range e.Cases {
		if c := d.Find(id); c != nil && c.State == Open {
			c.State = Acted
		}
	}
	text := fmt.Sprintf("%s of %s", e.Action, e.Target)
	if settled != "" {
		text += " (" + settled + ")"
	}
	return d, d.each(*e, EntryActed, at, text)
}

// Obscure closes an intent whose outcome nobody can tell: the object changed before anybody
// looked. To try again might be a second act, so nothing follows.
func Obscure(d Docket, why string, at time.Time) (Docket, []Entry) {
	if d.Enforcement == nil || d.Enforcement.State != Intent {
		return d, nil
	}
	d = d.clone()
	d.Enforcement.State, d.Enforcement.Settled = Unclear, why
	return d, d.each(*d.Enforcement, EntryUnclear, at, why)
}

// AddFence records an annotation patch before it is sent, with the token that it writes.
func AddFence(d Docket, f Fence) (Docket, []Entry) {
	d = d.clone()
	e := d.Enforcement
	e.Fences = append(e.Fences, f)
	entries := d.each(*e, EntryFenced, f.At, "touches the object, so that a late write of a dead process conflicts")
	for i := range entries {
		entries[i].Data["token"] = f.Token
	}
	return d, entries
}

// BeginUndo records that an act is about to be taken back.
func BeginUndo(d Docket, u Undo) (Docket, []Entry, error) {
	e := d.Enforcement
	switch {
	case e != nil && e.State == Unclear:
		return d, nil, fmt.Errorf("nothing to undo: whether %s was acted on is not known: %s; put right by hand what is wrong", d.Root, e.Settled)
	case e == nil || e.State == Intent:
		return d, nil, fmt.Errorf("nothing to undo: nothing was done to %s", d.Root)
	case u.Case != "" && len(e.Cases) > 0 && !slices.Contains(e.Cases, u.Case):
		return d, nil, fmt.Errorf("nothing to undo: nothing was done about case %s; %s of %s was done about %s: k8guard undo %s --reason \"...\" takes it back",
			u.Case, e.Action, d.Root, strings.Join(e.Cases, ", "), e.Cases[0])
	case e.State == Undid:
		return d, nil, fmt.Errorf("nothing to undo: %s was restored at %s by %s", d.Root, e.Undo.DoneAt.UTC().Format(time.RFC3339), e.Undo.By)
	case e.State == Undoing:
		return d, nil, nil
	}
	d = d.clone()
	d.Enforcement.State, d.Enforcement.Undo = Undoing, &u
	return d, d.each(*d.Enforcement, EntryUndoing, u.At, fmt.Sprintf("undo asked by %s: %s", u.By, u.Reason)), nil
}

// CarryUndo notes that an undo is carried out: from now on something of it may be written.
func CarryUndo(d Docket) (Docket, bool) {
	if !d.Ordered() {
		return d, false
	}
	d = d.clone()
	d.Enforcement.Undo.Ordered = false
	return d, true
}

// StopUndo gives an undo up before it wrote anything, with the reason.
func StopUndo(d Docket, why string, at time.Time) (Docket, []Entry) {
	if d.Enforcement == nil || d.Enforcement.State != Undoing {
		return d, nil
	}
	d = d.clone()
	d.Enforcement.State = Done
	return d, d.each(*d.Enforcement, EntryRefused, at, "undo stopped: "+why)
}

// Restored records that the prior state is back; newUID is set when the object had to be
// made anew.
func Restored(d Docket, newUID, note string, coolOff time.Duration, at time.Time) (Docket, []Entry) {
	if d.Enforcement == nil || d.Enforcement.State != Undoing {
		return d, nil
	}
	d = d.clone()
	u := d.Enforcement.Undo
	u.DoneAt, u.NewUID, u.Note = at, newUID, note
	d.Enforcement.State = Undid
	d.CoolOffUntil = at.Add(coolOff)
	d.GoneAt = time.Time{}
	if newUID != "" {
		d.Aliases = append(d.Aliases, newUID)
	}
	text := "restored " + d.Root.String()
	if note != "" {
		text += " (" + note + ")"
	}
	return d, d.each(*d.Enforcement, EntryUndone, at, text)
}

// each writes one entry for every case of the enforcement.
func (d Docket) each(e Enforcement, kind string, at time.Time, text string) []Entry {
	entries := make([]Entry, 0, len(e.Cases))
	for _, id := range e.Cases {
		entries = append(entries, Entry{At: at, Kind: kind, Case: id, Text: text,
			Data: map[string]string{"enforcement": e.ID, "action": e.Action}})
	}
	return entries
}
