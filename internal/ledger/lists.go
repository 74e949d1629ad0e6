package ledger

import (
	"errors"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/docket"
)

// ErrCursor says that a cursor is not one that a page gave out.
var ErrCursor = errors.New("ledger: bad cursor")

// Every page may be shorter than its limit, so that long texts do not fill the memory: a
// Next says that there is more.

// LineQuery filters history; an empty field matches all. A back end may look at a bounded
// part of what the first of Owner, Namespace, Rule and Kind that is set leaves, and answer
// with a short page that goes on: only an empty Next is the end. With a Part, that bounded
// part is of the Part's own rows.
type LineQuery struct {
	Part      Part
	Text      string // see [Words]; without one that tells, nothing matches
	Namespace string
	Owner     string // one address
	Rule      string
	Kind      string // of the entry
	Since     time.Time
	Until     time.Time // from here on no more
	Limit     int       // 1 to 1000; 0 is 50
	Cursor    string    // from the page before
}

// LinePage is one page of history.
type LinePage struct {
	Lines []Line `json:"lines"`
	Next  string `json:"next,omitempty"` // the cursor of the next page; empty at the end
}

// DueQuery asks which steps come before Until, those that are overdue too.
type DueQuery struct {
	Part   Part
	Until  time.Time
	Limit  int // 1 to 500; 0 is 50
	Cursor string
}

// DuePage is one page of steps, by date.
type DuePage struct {
	Rows []CaseRow `json:"rows"`
	Next string    `json:"next,omitempty"`
}

// OwnerQuery asks for owners, by address. With a Part, the cases of that are counted, and an
// owner of none of them is not in the list.
type OwnerQuery struct {
	Part   Part
	Limit  int // 1 to 200; 0 is 50
	Cursor string
}

// OwnerRow is one address and what waits for it: cases that are neither standing nor
// resolved. The empty address has the cases for which nobody was found.
type OwnerRow struct {
	Email      string `json:"email"`
	Open       int    `json:"open"`
	NeedsHuman int    `json:"needsHuman"`
	Acted      int    `json:"acted"` // acted or contested
	// Next is the case whose step is due first; nil when none has a date.
	Next *CaseRow `json:"next,omitempty"`
}

// OwnerPage is one page of owners.
type OwnerPage struct {
	Rows []OwnerRow `json:"rows"`
	Next string     `json:"next,omitempty"`
}

// What an [ActQuery] may ask for.
const (
	InForce = "in-force" // an act that stands, or whose outcome is open
	Undone  = "undone"
	Refused = "refused" // the gate's newest no, of dockets on which nothing was done
)

// ActQuery asks for acts, newest first.
type ActQuery struct {
	Part   Part
	What   string // InForce, Undone, Refused
	Limit  int    // 1 to 200; 0 is 50
	Cursor string
}

// ActRow is a docket's one enforcement, or the gate's newest no. The prior state's manifest
// is left out.
type ActRow struct {
	Docket      docket.Key          `json:"docket"`
	Cluster     string              `json:"cluster"`
	Root        v1.Root             `json:"root"`
	Owner       v1.Owner            `json:"owner"`
	Enforcement *docket.Enforcement `json:"enforcement,omitempty"`
	Refusal     *docket.Refusal     `json:"refusal,omitempty"`
}

// ActPage is one page of acts.
type ActPage struct {
	Rows []ActRow `json:"rows"`
	Next string   `json:"next,omitempty"`
}

// Act is how the report lists a docket's enforcement or refusal, under which of the three
// names, and since when; "" where there is neither.
func Act(d docket.Docket) (row ActRow, what string, at time.Time) {
	row = ActRow{Docket: d.Key, Cluster: d.Cluster, Root: d.Root, Owner: d.Owner}
	switch e := d.Enforcement; {
	case e != nil:
		short := *e
		short.Prior.Manifest = nil
		row.Enforcement, what, at = &short, InForce, e.IntentAt
		if !e.DoneAt.IsZero() {
			at = e.DoneAt
		}
		if e.State == docket.Undid {
			what = Undone
		}
		if e.Undo != nil {
			at = e.Undo.At
		}
	case d.Refusal != nil && d.Live():
		row.Refusal, what, at = d.Refusal, Refused, d.Refusal.At
	}
	return row, what, at
}
