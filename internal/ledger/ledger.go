// Package ledger says what the store of K8Guard must do, for every back end.
//
// Purpose: cases, notices, enforcements and their append-only history, durable before any
// effect on the outside world.
//
// Concurrency: every method may be called from many goroutines. Two writers of one docket
// or record are told apart by its version: exactly one wins, the other gets [ErrConflict].
//
// Guarantees: what a call that returned nil wrote survives kill -9. A docket and the
// history entries that explain a change are stored together or not at all. Reads of a
// docket or record see the newest version; projections may lag behind in a distributed
// back end.
//
// It will not: interpret what it stores beyond the columns that the report filters on,
// delete what is open, or serve as a queue.
package ledger

import (
	"context"
	"errors"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/docket"
)

// ErrConflict says that the version has moved on: load again, judge again.
var ErrConflict = errors.New("ledger: version conflict")

// ErrTooLarge says that a document is larger than a back end keeps; nothing was stored, and
// trying again does not help.
var ErrTooLarge = errors.New("ledger: the document is too large")

// ErrNotFound says that a case does not exist.
var ErrNotFound = errors.New("ledger: not found")

// Dockets is the store of dockets.
type Dockets interface {
	// Load returns the docket, or one with only its Key set and Version 0.
	Load(ctx context.Context, key docket.Key) (docket.Docket, error)
	// CompareAndSet stores next if the stored version still is next.Version (0: if there is
	// none), raises the version by one and appends the entries, all together. It returns
	// the version stored, or ErrConflict.
	CompareAndSet(ctx context.Context, next docket.Docket, entries []docket.Entry) (int64, error)
	// OpenInBucket returns the keys of the dockets in the bucket for which Live is true.
	OpenInBucket(ctx context.Context, bucket int) ([]docket.Key, error)
}

// Record is a small named value: a notice, an outbox, a budget, a switch.
type Record struct {
	Key     string // "family/…"
	Version int64  // 0: not stored
	Value   []byte // JSON
}

// Records is the store of everything that is not a docket.
type Records interface {
	// Get returns the record, or one with Version 0 and no value.
	Get(ctx context.Context, key string) (Record, error)
	// Put stores r if the stored version still is r.Version (0: if there is none), and
	// returns the version stored, or ErrConflict.
	Put(ctx context.Context, r Record) (int64, error)
}

// Projections answers the report's questions.
type Projections interface {
	// Cases returns one page, worst severity and newest first.
	Cases(ctx context.Context, q CaseQuery) (CasePage, error)
	// Case returns the docket that holds the case, or ErrNotFound.
	Case(ctx context.Context, id string) (docket.Docket, error)
	// History returns a docket's entries, oldest first, from the one after "after", at most
	// limit (1 to 1000).
	History(ctx context.Context, key docket.Key, after int64, limit int) ([]Line, error)
	// Latest returns a docket's newest entries, at most limit (1 to 1000), oldest first.
	Latest(ctx context.Context, key docket.Key, limit int) ([]Line, error)
	// Lines returns one page of the history of all dockets, newest first: by the entries'
	// time, or with a Text by the order of writing.
	Lines(ctx context.Context, q LineQuery) (LinePage, error)
	// Due returns the cases whose next step has a date, soonest first; none that is resolved,
	// or waits for a person.
	Due(ctx context.Context, q DueQuery) (DuePage, error)
	// Owners returns everyone who is an owner of a case, by address.
	Owners(ctx context.Context, q OwnerQuery) (OwnerPage, error)
	// Acts returns enforcements or refusals, newest first.
	Acts(ctx context.Context, q ActQuery) (ActPage, error)
	// Overview counts.
	Overview(ctx context.Context, part Part) (Overview, error)
	// Spaces returns every home of a docket's root once, by cluster and namespace: the names
	// of which a [Part] can be made.
	Spaces(ctx context.Context) ([]Space, error)
}

// Ledger is all three.
type Ledger interface {
	Dockets
	Records
	Projections
	Close() error
}

// The statuses that everyone shows and filters on, see [Status].
const (
	StatusStanding   = "standing"
	StatusOpen       = "open"
	StatusActed      = "acted"
	StatusUndone     = "undone" // acted, and taken back
	StatusContested  = "contested"
	StatusResolved   = "resolved"
	StatusExempt     = "exempt"
	StatusNeedsHuman = "needs-human"
)

// CaseQuery filters cases; an empty field matches all. Statuses empty means every status
// but standing and resolved.
type CaseQuery struct {
	Part      Part
	Statuses  []string
	ID        string // what a case's id begins with
	Rule      string
	Severity  string
	Kind      string
	Namespace string
	Cluster   string // the name
	Owner     string // one address
	Text      string // see [Words]; without one that tells, nothing matches
	Limit     int    // 1 to 500; 0 is 50
	Cursor    string // from the page before
}

// CaseRow is one case as the report lists it.
type CaseRow struct {
	ID        string      `json:"id"`
	Docket    docket.Key  `json:"docket"`
	Cluster   string      `json:"cluster"`
	Root      v1.Root     `json:"root"`
	Owner     v1.Owner    `json:"owner"`
	Status    string      `json:"status"`
	Confirmed int         `json:"confirmedWarnings"`
	Case      docket.Case `json:"case"`
}

// CasePage is one page of cases. Total counts all that match.
type CasePage struct {
	Rows  []CaseRow `json:"rows"`
	Next  string    `json:"next,omitempty"` // the cursor of the next page; empty at the end
	Total int       `json:"total"`
}

// Line is a history entry in its place. Rule and Owners are those of its time.
type Line struct {
	Seq     int64        `json:"seq"`
	Docket  docket.Key   `json:"docket"`
	Cluster string       `json:"cluster"`
	Root    v1.Root      `json:"root"`
	Rule    string       `json:"rule,omitempty"`
	Owners  []string     `json:"owners,omitempty"`
	Entry   docket.Entry `json:"entry"`
}

// LineOf is the line that an entry makes in the history of its docket.
func LineOf(d docket.Docket, e docket.Entry) Line {
	line := Line{Docket: d.Key, Cluster: d.Cluster, Root: d.Root, Owners: d.Owner.Emails, Entry: e}
	if c := d.Find(e.Case); c != nil {
		line.Rule = c.Rule
	}
	return line
}

// Overview counts what is in the ledger.
type Overview struct {
	ByStatus   map[string]int `json:"byStatus"`
	ByRule     map[string]int `json:"byRule"`     // not resolved, not standing
	BySeverity map[string]int `json:"bySeverity"` // not resolved, not standing
	// ByNamespace holds the ten namespaces with the most cases that are not resolved.
	ByNamespace []Count   `json:"byNamespace"`
	Acted       int       `json:"acted"`  // enforcements done and not undone
	Undone      int       `json:"undone"` // enforcements undone
	Newest      time.Time `json:"newest,omitzero"`
}

// Count is a name and how many.
type Count struct {
	Name string `json:"name"`
	N    int    `json:"n"`
}
