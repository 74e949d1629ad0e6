// Package docket holds the life of one root: its cases, their notices, and the one
// enforcement that it may see.
//
// Purpose: the vocabulary of the ledger, and every change that an observation, a notice,
// an act or an undo makes to a docket, as pure functions that return what to record.
//
// Concurrency: plain values; a docket belongs to whoever loaded it until it is stored.
//
// Guarantees: every change function is idempotent (the same fact twice changes nothing the
// second time), bounded (see [MaxCases]), and says in history entries what it did.
//
// It will not: read a clock, do input or output, choose what happens next (policy does).
package docket

import (
	"hash/fnv"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
)

// Buckets is the fixed number of parts into which all dockets of all clusters fall.
const Buckets = 1024

// AllBuckets lists them.
func AllBuckets() []int {
	all := make([]int, Buckets)
	for b := range all {
		all[b] = b
	}
	return all
}

// BucketOf is the part, 0 to [Buckets]-1, in which anything falls that has a name.
func BucketOf(name string) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(name))
	return int(h.Sum32() % Buckets)
}

// MaxCases bounds the cases of one docket; further violations are counted, not kept.
const MaxCases = 200

// Key identifies a docket: the cluster's identity and the root's UID.
type Key struct {
	Cluster string `json:"cluster"`
	Root    string `json:"root"`
}

// String is "cluster/root".
func (k Key) String() string { return k.Cluster + "/" + k.Root }

// Bucket is the part, 0 to [Buckets]-1, in which the key falls: the FNV-1a hash of its
// string. It never changes: the bus, the ledger and the inventories agree on it.
func (k Key) Bucket() int { return BucketOf(k.String()) }

// Docket is everything about one root.
type Docket struct {
	Key         Key       `json:"key"`
	Version     int64     `json:"version"` // raised by the ledger at each change; 0 is not stored yet
	Cluster     string    `json:"cluster"` // the cluster's name
	Root        v1.Root   `json:"root"`
	RootCreated time.Time `json:"rootCreated"`
	Order       v1.Order  `json:"order"` // of the newest observation applied
	ObservedAt  time.Time `json:"observedAt"`
	Hash        string    `json:"hash"`
	Dormant     string    `json:"dormant,omitempty"`
	Lost        []string  `json:"lost,omitempty"` // what an act loses for good
	GoneAt      time.Time `json:"goneAt,omitzero"`
	Owner       v1.Owner  `json:"owner"`
	// Owners are told of what single rules find, by rule, in the place of Owner.
	Owners map[string]v1.Owner `json:"owners,omitempty"`
	// Aliases are UIDs under which the root came back (a restored ingress gets a new one).
	Aliases     []string     `json:"aliases,omitempty"`
	Cases       []Case       `json:"cases"`
	Enforcement *Enforcement `json:"enforcement,omitempty"`
	// Refusal is the gate's newest no; it holds the act until its time is over.
	Refusal *Refusal `json:"refusal,omitempty"`
	// CoolOffUntil ends the pause that an undo starts.
	CoolOffUntil time.Time `json:"coolOffUntil,omitzero"`
	// FamilyKey names the record of the roots that this one takes the place of, and Before what
	// is known of them. Family is the same key where they live shortly: see [Docket.ThrowAway].
	FamilyKey string  `json:"familyKey,omitempty"`
	Family    string  `json:"family,omitempty"`
	Before    *Before `json:"before,omitempty"`
	// Dropped counts violations beyond MaxCases.
	Dropped int `json:"dropped,omitempty"`
}

// Refusal is a no of the gate.
type Refusal struct {
	Rule  int       `json:"rule"` // 1 to 17, as in docs/gate.md
	Name  string    `json:"name"`
	Text  string    `json:"text"`
	Human bool      `json:"human,omitempty"` // only a person can change it
	At    time.Time `json:"at"`
	Until time.Time `json:"until"` // then the gate is asked again
	// Budget names the limits of a no for want of budget. Under others the gate is asked at once.
	Budget string `json:"budget,omitempty"`
}

// Holds reports whether the no holds the act still, under these limits of the budget.
func (r Refusal) Holds(now time.Time, budget string) bool {
	return now.Before(r.Until) && (r.Budget == "" || r.Budget == budget)
}

// Same reports whether this is the same no.
func (r Refusal) Same(rule int, text string) bool { return r.Rule == rule && r.Text == text }

// Ordered reports whether an undo is on record that nobody has begun to carry out.
func (d Docket) Ordered() bool { return d.Enforcement != nil && d.Enforcement.Ordered() }

// Ordered reports whether an undo of it is on record that nobody has begun to carry out.
func (e Enforcement) Ordered() bool { return e.State == Undoing && e.Undo != nil && e.Undo.Ordered }

// Live returns whether anything of the docket still wants work: a case that is not
// resolved, an open outcome, or a closing notice that is not out.
func (d Docket) Live() bool {
	if d.Enforcement != nil && (d.Enforcement.State == Intent || d.Enforcement.State == Undoing) {
		return true
	}
	for i := range d.Cases {
		c := &d.Cases[i]
		if c.State != Resolved || c.Waits() || d.owes(c) {
			return true
		}
	}
	return false
}

// Waits reports whether a notice of the case has no outcome yet.
func (c *Case) Waits() bool {
	for _, n := range c.Notices {
		if n.Result == Pending {
			return true
		}
	}
	return false
}

// Undone reports whether the act on the root was taken back.
func (d Docket) Undone() bool { return d.Enforcement != nil && d.Enforcement.State == Undid }

// OwnerOf returns who is told of what a rule finds.
func (d Docket) OwnerOf(rule string) v1.Owner {
	if o, ok := d.Owners[rule]; ok {
		return o
	}
	return d.Owner
}

// Find returns the case with this ID, or nil.
func (d *Docket) Find(id string) *Case {
	for i := range d.Cases {
		if d.Cases[i].ID == id {
			return &d.Cases[i]
		}
	}
	return nil
}
