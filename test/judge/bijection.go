package judge

import (
	"time"

	"github.com/k8guard/k8guard/tools/controlplane/audit"
)

// Tally is what the bijection was made of.
type Tally struct {
	Acts, Undos, Fences int
	Unclear             []string // attempts whose effect only the ledger's settlement tells
	Refused             []string // attempts that the API server refused or that conflicted
}

// due is one write that the ledger says was made.
type due struct {
	act  bool // else an undo
	root Root
	by   Enforcement
	seen int
}

type books struct {
	findings
	dues   []*due
	fences map[string]int // recorded, by enforcement
	tally  Tally
}

// AuditBijection holds action's writes against the ledger: each non-dry-run write, apart
// from Events, its Lease and reviews, is exactly one recorded act, undo or fence, of the
// right form and with UID and resourceVersion; each recorded act and undo has its write.
func AuditBijection(events []audit.Event, d Dump, action string) (Tally, error) {
	if err := spoke(events, action); err != nil {
		return Tally{}, err
	}
	writes, err := sortWrites(events, action, notItsOwn)
	if err != nil {
		return Tally{}, err
	}
	b := open(d)
	for _, w := range writes.done {
		b.take(w)
	}
	for _, w := range writes.unclear {
		b.tally.Unclear = append(b.tally.Unclear, w.String())
		b.settle(w, d)
	}
	for _, w := range writes.refused {
		b.tally.Refused = append(b.tally.Refused, w.String())
	}
	for _, x := range b.dues {
		if x.seen == 0 {
			b.add("%s: enforcement %s is %s, and the audit log has no such write (act: %v)", x.root, x.by.ID, x.by.State, x.act)
		}
	}
	return b.tally, b.err("audit log against ledger")
}

// open notes what the ledger says was written.
func open(d Dump) *books {
	b := &books{fences: map[string]int{}}
	kept := map[string]bool{}
	for _, x := range d.Dockets {
		e := x.Enforcement
		if e == nil {
			continue
		}
		kept[e.ID] = true
		switch e.State {
		case "undone":
			b.dues = append(b.dues, &due{root: e.Target, by: *e}, &due{act: true, root: e.Target, by: *e})
		case "done":
			b.dues = append(b.dues, &due{act: true, root: e.Target, by: *e})
		default:
			b.add("%s: the outcome of %s is still open (%s); judge after it is settled", x.Root, e.ID, e.State)
		}
	}
	type once struct{ id, at string }
	fenced := map[once]bool{} // one entry for each case
	for _, l := range d.History {
		id := l.Data["enforcement"]
		switch l.Kind {
		case "acted":
			if !kept[id] {
				b.add("history says that %s acted on %s, and its docket does not know it", id, l.Root)
			}
		case "fenced":
			if key := (once{id, l.At.String()}); !fenced[key] {
				fenced[key] = true
				b.fences[id]++
			}
		}
	}
	return b
}

// find returns the record that a write belongs to, or nil.
func (b *books) find(w write) *due {
	for _, x := range b.dues {
		if w.isOf(x) {
			return x
		}
	}
	return nil
}

// take books a write that took effect.
func (b *books) take(w write) {
	if w.Verb == "patch" && w.ObjectRef.Subresource == "" && w.suspend() == nil {
		b.fence(w)
		return
	}
	x := b.find(w)
	if x == nil {
		b.add("%s (UID %s): no recorded act or undo is this write", w, w.uid())
		return
	}
	if x.seen++; x.seen > 1 {
		b.add("%s: the record %s has this write a second time", w, x.by.ID)
		return
	}
	b.form(w, x)
	if x.act {
		b.tally.Acts++
	} else {
		b.tally.Undos++
	}
}

// settle lets an attempt of unclear end stand for a record that has no other write. A hard
// one without a record must be one that the ledger settled as not done.
func (b *books) settle(w write, d Dump) {
	x := b.find(w)
	if uid, hard := w.hard(); x == nil && hard && !d.settled(uid, w.began(), w.began().Add(24*time.Hour)) {
		b.add("%s (UID %s): of unclear end, and nothing in the ledger is about it", w, uid)
	}
	if x == nil || x.seen > 0 {
		return
	}
	x.seen++
	b.form(w, x)
	if x.act {
		b.tally.Acts++
	} else {
		b.tally.Undos++
	}
}
