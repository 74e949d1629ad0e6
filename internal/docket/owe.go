package docket

import "slices"

// Owes reports whether this owner may have been told that something is wrong, and not yet
// that it is over. A notice that surely failed told nothing; one to somebody else, or to the
// platform about a case that needs a human, is not this owner's.
func (c *Case) Owes(owner string) bool {
	owes := false
	for _, n := range c.Notices {
		switch {
		case n.Owner != owner:
		case n.Purpose == AllClear:
			owes = owes && n.Result == Pending // also given up: nothing waits for good news
		case n.Purpose != NeedsHuman && (n.Result == Sent || n.Result == UnknownSend):
			owes = true
		}
	}
	return owes
}

// Told reports whether a notice of this purpose went out for this very case; one of unknown
// fate did. What a former root of the family was told of its own act says nothing of this one.
func (c *Case) Told(p Purpose) bool {
	return slices.ContainsFunc(c.tellings(), func(t telling) bool {
		return t[0].Purpose == p && t[0].Case == "" && t.any(Sent, UnknownSend)
	})
}

// Asked reports whether the platform was asked to look at the case, or is being asked.
func (c *Case) Asked() bool {
	return slices.ContainsFunc(c.tellings(), func(t telling) bool { return t[0].Purpose == NeedsHuman && !t.failed() })
}

// Recurs reports whether the case was warned of again after its owner was told that it is
// over.
func (c *Case) Recurs() bool {
	over := false
	for _, n := range c.Notices {
		if n.Purpose == Warning && over {
			return true
		}
		over = over || n.Purpose == AllClear
	}
	return false
}

// owe closes the books of what is over: a case whose owner was never told of it needs no
// all-clear. What is still on its way is looked at when its outcome is known.
func (d *Docket) owe() {
	for i := range d.Cases {
		if c := &d.Cases[i]; c.State == Resolved && !c.Waits() && !d.owes(c) {
			c.ToldResolved = true
		}
	}
}
