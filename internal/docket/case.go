package docket

import (
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
)

// State is where a case stands in its life.
type State string

// The states of a case. "Exempt" and "needs a human" are not states: they are what policy
// says of an open case today, in its plan.
const (
	Standing  State = "standing" // seen, not yet long enough to open; not counted, not told
	Open      State = "open"
	Acted     State = "acted"
	Contested State = "contested" // acted, or as good as, and someone or something put it back
	Resolved  State = "resolved"
)

// Case is the durable life of one (root, rule, source).
type Case struct {
	ID          string    `json:"id"`
	Rule        string    `json:"rule"`
	Source      string    `json:"source"`
	From        v1.From   `json:"from"`
	Severity    string    `json:"severity"`
	State       State     `json:"state"`
	RuleVersion string    `json:"ruleVersion"`
	Message     string    `json:"message"`
	Path        string    `json:"path,omitempty"`
	Evidence    string    `json:"evidence,omitempty"`
	FirstSeen   time.Time `json:"firstSeen"`
	OpenedAt    time.Time `json:"openedAt,omitzero"`
	LastSeen    time.Time `json:"lastSeen"`
	ResolvedAt  time.Time `json:"resolvedAt,omitzero"`
	// Unknown says why the rule could not judge last time; empty when it could.
	Unknown string `json:"unknown,omitempty"`
	// Notices are the tries to tell an owner of this case, each settled once.
	Notices []NoticeRef `json:"notices,omitempty"`
	// ToldResolved says that the all-clear is out, or that none is due.
	ToldResolved bool `json:"toldResolved,omitempty"`
	// Ack says that a person has seen the case; nil when nobody said so in this life of it.
	Ack *Ack `json:"ack,omitempty"`
	// Heir is the case that goes on with this one's warnings under another source.
	Heir string `json:"heir,omitempty"`
	// Plan is policy's newest word: what comes next, when, and why.
	Plan Plan `json:"plan"`
}

// Plan is a decision as it is kept and shown.
type Plan struct {
	Step   string    `json:"step"`           // notify, act, wait, none
	Reason string    `json:"reason"`         // a named reason, from a bounded list
	Text   string    `json:"text,omitempty"` // the reason in words
	Next   string    `json:"next,omitempty"` // the step that a wait leads to
	At     time.Time `json:"at,omitzero"`    // when that step is due
}

// Otherwise parts, in a plan's text, what holds everything from what would follow without it.
const Otherwise = "; otherwise "

// Purpose says what a notice tells of a case.
type Purpose string

// What a notice may tell. Only warnings count for an act.
const (
	Warning    Purpose = "warning"
	Enforced   Purpose = "enforced"
	Undone     Purpose = "undone"
	AllClear   Purpose = "resolved"
	NeedsHuman Purpose = "needs-human"
)

// Result is how a notice ended. Unknown is neither repeated nor counted as confirmed.
type Result string

// The results of a notice. Unknown may have arrived: it is neither repeated nor counted as
// confirmed. A definite failure is tried again under the same key, until it is given up.
const (
	Pending     Result = "pending"
	Sent        Result = "sent"
	UnknownSend Result = "unknown"
	FailedSend  Result = "failed" // surely not delivered, and given up; counts as no try
)

// NoticeRef ties a case to a notice that carried it.
type NoticeRef struct {
	Key string `json:"key"` // the ledger key of the notice
	// Case is the former case that the notice named, when this one inherited its warnings;
	// empty when it named this one.
	Case    string  `json:"case,omitempty"`
	Purpose Purpose `json:"purpose"`
	N       int     `json:"n"` // which warning it was, from 1
	// Try is which telling of the case it belongs to, from 1: several channels carry one. 0 is a
	// telling of its own.
	Try int `json:"try,omitempty"`
	// Beside says that the channel reaches nobody personally: it never confirms a warning.
	Beside bool      `json:"beside,omitempty"`
	Owner  string    `json:"owner"`
	Result Result    `json:"result"`
	At     time.Time `json:"at"`
	// ActAt is the date of the act that the warning named; zero when it named none.
	ActAt time.Time `json:"actAt,omitzero"`
}
