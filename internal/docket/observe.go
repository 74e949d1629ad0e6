package docket

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
)

// ReopenWindow is how long a resolved case keeps its warnings: broken again within it, the
// case goes on where it stopped; later, its ladder starts anew.
const ReopenWindow = 24 * time.Hour

// ActSettles is how long after an act an observation may still show the state before it:
// it was judged before the watch saw our write, or the clocks of two machines differ.
const ActSettles = 5 * time.Second

// Observe applies an observation. It returns the docket as it is now and what to record;
// no entries and an equal docket mean that nothing changed. An observation that is not
// newer than the last one applied is dropped.
func Observe(d Docket, o v1.Observation) (Docket, []Entry, bool) {
	if d.Version > 0 && !d.Order.Before(o.Order) {
		return d, nil, false
	}
	d = d.clone()
	d.Order, d.ObservedAt, d.Hash = o.Order, o.At, o.Hash
	if o.State == v1.Gone {
		if d.Version == 0 {
			d.Root, d.Cluster = o.Root, o.Cluster.Name
		}
		entries := d.gone(o.At)
		d.owe()
		return d, entries, true
	}
	d.Root, d.Cluster, d.RootCreated, d.GoneAt = o.Root, o.Cluster.Name, o.Created, time.Time{}
	entries := d.setOwner(o)
	entries = append(entries, d.judge(o)...)
	entries = append(entries, d.setDormant(o)...)
	d.Lost = o.Lost
	d.owe()
	return d, entries, true
}

func (d Docket) clone() Docket {
	cases := make([]Case, len(d.Cases))
	for i, c := range d.Cases {
		c.Notices = slices.Clone(c.Notices)
		cases[i] = c
	}
	d.Cases, d.Aliases = cases, slices.Clone(d.Aliases)
	if d.Enforcement != nil {
		e := *d.Enforcement
		if e.Undo != nil {
			u := *e.Undo
			e.Undo = &u
		}
		e.Fences = slices.Clone(e.Fences)
		d.Enforcement = &e
	}
	return d
}

// gone closes the cases of a root that no longer exists. An ingress that we deleted (or
// were about to) is gone by our own hand: its cases stay, so that an undo finds them.
func (d *Docket) gone(at time.Time) []Entry {
	var entries []Entry
	if d.GoneAt.IsZero() {
		d.GoneAt = at
		entries = []Entry{{At: at, Kind: EntryGone, Text: d.Root.String() + " no longer exists"}}
	}
	if e := d.Enforcement; e != nil && e.Action == DeleteIngress && e.State != Undid {
		return entries
	}
	for i := range d.Cases {
		entries = append(entries, d.Cases[i].resolve(at, "the object was deleted")...)
	}
	d.dropStanding()
	return entries
}

func (d *Docket) setOwner(o v1.Observation) []Entry {
	before := Docket{Owner: d.Owner, Owners: d.Owners}
	d.Owner, d.Owners = o.Owner, o.Owners
	if d.Version == 0 {
		return nil
	}
	var entries []Entry
	changed := func(what string, was, is v1.Owner) {
		if was.Key() != is.Key() {
			entries = append(entries, Entry{At: o.At, Kind: EntryOwner,
				Text: fmt.Sprintf("%s changed from %q to %q (%s)", what, was.Key(), is.Key(), is.From)})
		}
	}
	changed("owner", before.Owner, o.Owner)
	rules := slices.Concat(slices.Collect(maps.Keys(before.Owners)), slices.Collect(maps.Keys(o.Owners)))
	slices.Sort(rules)
	for _, rule := range slices.Compact(rules) {
		changed("owner of "+rule, before.OwnerOf(rule), d.OwnerOf(rule))
	}
	return entries
}

// setDormant notes that the root stopped or started. One that we scaled to zero and that
// runs while it still violates was put back by someone: contested.
func (d *Docket) setDormant(o v1.Observation) []Entry {
	before := d.Dormant
	d.Dormant = o.Dormant
	if o.Dormant != "" {
		if before == o.Dormant {
			return nil
		}
		return []Entry{{At: o.At, Kind: EntryDormant, Text: "dormant: " + o.Dormant}}
	}
	var entries []Entry
	if before != "" {
		entries = []Entry{{At: o.At, Kind: EntryDormant, Text: "runs again"}}
	}
	if !d.putBack(o, before) {
		return entries
	}
	for i := range d.Cases {
		if c := &d.Cases[i]; c.State == Acted {
			c.State = Contested
			entries = append(entries, Entry{At: o.At, Kind: EntryContested, Case: c.ID,
				Text: "someone put it back while it still violates; K8Guard stops here"})
		}
	}
	return entries
}

// putBack reports whether a root that runs was started after our act: it was seen to stop
// before, or it runs though the watch has had time to show that we stopped it. So it needs
// no luck in seeing it stopped.
func (d *Docket) putBack(o v1.Observation, before string) bool {
	e := d.Enforcement
	if e == nil || e.State != Done {
		return false
	}
	return before != "" || e.Action != DeleteIngress && o.At.Sub(e.DoneAt) > ActSettles
}

// CaseID is stable for (docket, rule, source, from) and unique across clusters: "c-" and 128
// bits in base32, so that nobody finds two sources with one ID.
func CaseID(key Key, rule, source string, from v1.From) string {
	sum := sha256.Sum256([]byte(key.String() + "\x00" + rule + "\x00" + source + "\x00" + string(from)))
	return "c-" + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:16]))
}
