package docket

import "time"

// Entry is one line of a docket's append-only history.
type Entry struct {
	At   time.Time         `json:"at"`
	Kind string            `json:"kind"` // opened, warned, acted, undone, …: see the constants
	Case string            `json:"case,omitempty"`
	Text string            `json:"text"`
	Data map[string]string `json:"data,omitempty"`
}

// The kinds of history entries.
const (
	EntrySeen      = "seen"
	EntryOpened    = "opened"
	EntryChanged   = "changed"
	EntryResolved  = "resolved"
	EntryReopened  = "reopened"
	EntryGone      = "gone"
	EntryUnknown   = "unknown"
	EntryOwner     = "owner"
	EntryPlan      = "plan"
	EntryNotice    = "notice"
	EntryIntent    = "intent"
	EntryActed     = "acted"
	EntryRefused   = "refused"
	EntryFenced    = "fenced"
	EntryUnclear   = "unclear"
	EntryUndoing   = "undoing"
	EntryUndone    = "undone"
	EntryContested = "contested"
	EntryDormant   = "dormant"

	EntryAcknowledged = "acknowledged"
)
