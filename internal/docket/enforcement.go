package docket

import (
	"encoding/json"
	"fmt"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
)

// EnforcementState is how far a hard action got.
type EnforcementState string

// The states of an enforcement. Intent and Undoing have an open outcome: after a crash
// they are settled by looking at the cluster, never by trying again blindly. Unclear is an
// outcome that nobody can tell any more: it is the root's one enforcement all the same.
const (
	Intent  EnforcementState = "intent"
	Done    EnforcementState = "done"
	Undoing EnforcementState = "undoing"
	Undid   EnforcementState = "undone"
	Unclear EnforcementState = "unclear"
)

// The hard actions.
const (
	ScaleToZero   = "scale-to-zero"
	Suspend       = "suspend"
	DeleteIngress = "delete-ingress"
)

// Enforcement is one hard action on the root: why, what was there before, what was done.
type Enforcement struct {
	ID       string           `json:"id"`
	Action   string           `json:"action"`
	State    EnforcementState `json:"state"`
	Target   v1.Root          `json:"target"`
	Cases    []string         `json:"cases"`
	Who      string           `json:"who"` // the policy that allowed it
	Rules    []string         `json:"rules"`
	Versions []string         `json:"versions"` // of those rules
	Evidence []string         `json:"evidence"`
	Warnings []string         `json:"warnings"` // keys of the confirmed notices
	Grant    string           `json:"grant,omitempty"`
	Holder   string           `json:"holder"` // the process that holds the intent
	Prior    Prior            `json:"prior"`
	IntentAt time.Time        `json:"intentAt"`
	// Sending is when the act was about to go out; without it, nothing was ever sent.
	Sending time.Time `json:"sending,omitzero"`
	DoneAt  time.Time `json:"doneAt,omitzero"`
	// Written is the object's resourceVersion after our write; empty for a deletion.
	Written string  `json:"written,omitempty"`
	Settled string  `json:"settled,omitempty"` // how an open outcome was settled
	Fences  []Fence `json:"fences,omitempty"`
	Undo    *Undo   `json:"undo,omitempty"`
}

// Prior is the state before the act, enough to restore it.
type Prior struct {
	ResourceVersion string `json:"resourceVersion"`
	// Generation counts the changes of a workload; ScaledBy is who set its replicas, or its
	// suspension, and when.
	Generation int64           `json:"generation,omitempty"`
	ScaledBy   string          `json:"scaledBy,omitempty"`
	Replicas   *int32          `json:"replicas,omitempty"`
	Suspended  *bool           `json:"suspended,omitempty"`
	Manifest   json.RawMessage `json:"manifest,omitempty"`
}

// Text is the state in words, for people; empty where there was none to keep.
func (p Prior) Text() string {
	switch {
	case p.Replicas != nil:
		return Replicas(*p.Replicas)
	case p.Suspended != nil:
		return "not suspended"
	case len(p.Manifest) > 0:
		return fmt.Sprintf("manifest kept (%d bytes)", len(p.Manifest))
	}
	return ""
}

// Replicas is "1 replica" or "2 replicas".
func Replicas(n int32) string {
	if n == 1 {
		return "1 replica"
	}
	return fmt.Sprintf("%d replicas", n)
}

// Fence is one annotation patch that moved a resourceVersion, so that a late write of a
// dead process conflicts.
type Fence struct {
	Token string    `json:"token"`
	At    time.Time `json:"at"`
}

// Undo is the way back of an enforcement.
type Undo struct {
	By     string `json:"by"`
	Reason string `json:"reason,omitempty"`
	// Case is the one that was named; empty where none was. It must be one of the enforcement's.
	Case string `json:"case,omitempty"`
	// Own says that who asked may change some namespaces only: it tells nothing about the rest,
	// and does not count for the circuit breaker.
	Own bool `json:"own,omitempty"`
	// Ordered says that who took the order could not carry it out, and nobody has begun to.
	Ordered bool      `json:"ordered,omitempty"`
	At      time.Time `json:"at"`
	DoneAt  time.Time `json:"doneAt,omitzero"`
	NewUID  string    `json:"newUID,omitempty"`
	Note    string    `json:"note,omitempty"`
}
