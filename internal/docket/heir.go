package docket

import (
	"slices"
	"time"
)

// heir returns the case whose warnings a new one inherits, or nil: of those of its rule
// that nobody inherited, the one that vanished last, and of those the one warned of most.
// So neither a decoy nor a defect that was fixed before lends its count.
func (d *Docket) heir(c Case, at time.Time) *Case {
	var best *Case
	for i := range d.Cases {
		old := &d.Cases[i]
		if old.Rule != c.Rule || old.From != c.From || old.State != Resolved || old.Heir != "" ||
			at.Sub(old.ResolvedAt) >= ReopenWindow {
			continue
		}
		if best == nil || old.ResolvedAt.After(best.ResolvedAt) ||
			old.ResolvedAt.Equal(best.ResolvedAt) && len(old.Notices) > len(best.Notices) {
			best = old
		}
	}
	return best
}

// inherit takes over the warnings of a former case and, if it goes on from it at once, its
// age. Each warning keeps the name that it was told under: the notice itself knows no other.
func (c *Case) inherit(old Case, atOnce bool) {
	c.Notices, c.ToldResolved = slices.Clone(old.Notices), old.ToldResolved
	if atOnce {
		c.Ack = old.Ack
		c.FirstSeen, c.OpenedAt = old.FirstSeen, old.OpenedAt
	}
	for i := range c.Notices {
		if c.Notices[i].Case == "" {
			c.Notices[i].Case = old.ID
		}
	}
	if !c.OpenedAt.IsZero() {
		c.State, c.ToldResolved = Open, false
	}
}
