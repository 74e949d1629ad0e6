// Package notify says what a notice is and what a channel must do with it.
//
// Purpose: one message to one owner on one channel, a digest of many cases.
//
// Concurrency: a [Channel] may be called from many goroutines.
//
// Guarantees: a digest is frozen when it is composed; a channel sends it once and says
// truthfully what it knows of the outcome (see [Outcome]). Everything in a digest that a
// tenant can write is hostile; a channel escapes it for its own medium.
//
// It will not: decide who is told or when, retry, or remember.
package notify

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
)

// MaxItems is how many cases one digest names, and every channel prints: a case that no
// notice names does not count as told.
const MaxItems = 50

// The channels. A webhook's name is Webhook, a slash, and its name in configuration.
const (
	Email        = "email"
	Slack        = "slack"
	HipChat      = "hipchat"
	Webhook      = "webhook"
	Alertmanager = "alertmanager"
)

// Count is how many cases a rule found.
type Count struct {
	Rule  string `json:"rule"`
	Cases int    `json:"cases"`
}

// Digest is what one notice says.
type Digest struct {
	ID      string    `json:"id"`     // the ledger key of the notice
	Number  int       `json:"number"` // of this owner and channel, from 1
	Cluster string    `json:"cluster"`
	To      []string  `json:"to"`
	Owner   v1.Owner  `json:"owner"`
	Items   []Item    `json:"items"`
	At      time.Time `json:"at"`  // when it was composed
	URL     string    `json:"url"` // of the report; empty when there is none
	// Mentions are the ids by which the platform's own record (configuration, teams file) reaches
	// the owner on this channel: a notice that was taken for one of them counts. Tags are ids that
	// are mentioned too, and count for nothing.
	Mentions []string `json:"mentions,omitempty"`
	Tags     []string `json:"tags,omitempty"`
	// Summary counts all cases that are new to the owner, when they are too many to be named:
	// Items holds the worst of them, and the others are told of from RestUntil on.
	Summary   []Count   `json:"summary,omitempty"`
	More      bool      `json:"more,omitempty"` // there may be more than Summary counts
	RestUntil time.Time `json:"restUntil,omitzero"`
}

// Ref names the notice to whoever takes notices of several K8Guards: the key alone is the same in
// every new ledger, and one cluster's warning would be dropped as a repetition of another's. A
// notice that is tried again keeps it. It is 32 hex digits, and tells nothing of the owner.
func (d Digest) Ref() string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %d", d.ID, d.Cluster, d.At.UnixNano()))
	return hex.EncodeToString(sum[:16])
}

// Item is one case in a digest.
type Item struct {
	Case     string   `json:"case"`
	Cluster  string   `json:"cluster,omitempty"` // the name; set where a digest speaks of several
	Docket   string   `json:"docket"`            // "cluster/root" UIDs
	Purpose  string   `json:"purpose"`           // docket.Purpose: warning, enforced, undone, resolved, needs-human
	Try      int      `json:"try,omitempty"`     // which telling of the case it is, the same on every channel
	N        int      `json:"n"`                 // this warning's number
	Needed   int      `json:"needed"`            // warnings before an act; 0 when no act follows
	Repeats  string   `json:"repeats,omitempty"` // why it has the number of a warning before, in words
	Rule     string   `json:"rule"`
	Title    string   `json:"title"`
	Severity string   `json:"severity"`
	Why      string   `json:"why"`
	Remedy   string   `json:"remedy"`
	Root     v1.Root  `json:"root"`
	Source   string   `json:"source"`
	Before   string   `json:"before,omitempty"` // what the root takes the place of, in words
	Message  string   `json:"message"`
	Path     string   `json:"path,omitempty"`
	Evidence string   `json:"evidence,omitempty"`
	Lost     []string `json:"lost,omitempty"` // what an act loses for good (emptyDir)
	// NextStep says in words what comes next ("warning 2 of 3", "scale to zero").
	NextStep string    `json:"nextStep,omitempty"`
	NextAt   time.Time `json:"nextAt,omitzero"`
	// Done says what was done and when; set when Purpose is enforced or undone. Undo is the
	// command that takes it back, Back says how it was taken back, by whom and when.
	Done string `json:"done,omitempty"`
	Undo string `json:"undo,omitempty"`
	Back string `json:"back,omitempty"`
	// Human says what a person must see to; set when Purpose is needs-human.
	Human string `json:"human,omitempty"`
	URL   string `json:"url,omitempty"`
}

// ActAt is the date of the act that a warning names; zero when it names none.
func (i Item) ActAt() time.Time {
	if i.Needed == 0 || i.N < i.Needed {
		return time.Time{}
	}
	return i.NextAt
}

// MaxPause bounds how long a server may have us wait.
const MaxPause = 24 * time.Hour

// Outcome is what a channel knows after a try.
type Outcome struct {
	State  OutcomeState
	Detail string // for people; never holds a secret
	// Accepted are the recipients that the channel's server took; Refused those it did not.
	Accepted []string
	Refused  []string
	// Told are the cases that were surely told by a try that was not confirmed, this one or one
	// before; Untold those that surely were not, of one that is unknown. Both are empty where a
	// notice is one message.
	Told   []Telling
	Untold []string
	// RetryAfter is how long the server asked us to wait; 0 when it did not say.
	RetryAfter time.Duration
}

// Telling is one case of a notice that was told, and for whom the channel's server took it.
type Telling struct {
	Case string   `json:"case"`
	For  []string `json:"for,omitempty"`
}

// OutcomeState is the class of an outcome.
type OutcomeState string

// Confirmed: the server took it for at least one recipient. Failed: it surely did not, and
// a later try does not repeat anything. Unknown: the line broke after the message went out.
const (
	Confirmed OutcomeState = "confirmed"
	Failed    OutcomeState = "failed"
	Unknown   OutcomeState = "unknown"
)

// Channel sends digests.
type Channel interface {
	// Name is the channel's name in configuration and in the ledger: "email".
	Name() string
	// Send tries once, within ctx and at most 30 s.
	Send(ctx context.Context, d Digest) Outcome
}
