package report

import (
	"context"
	"time"
)

// Control is what the action service does for people. Errors are shown to them.
type Control interface {
	// Undo takes back the enforcement that the case is part of, and says what it did. Own says
	// that who asks may change some namespaces only.
	Undo(ctx context.Context, caseID, by, reason string, own bool) (string, error)
	// Freeze stops enforcement in the scope: "global", "cluster/NAME" or "rule/ID".
	Freeze(ctx context.Context, scope, by, reason string) error
	// Unfreeze lifts the freeze of exactly this scope.
	Unfreeze(ctx context.Context, scope, by, reason string) error
	// Status says where enforcement stands now.
	Status(ctx context.Context) (Status, error)
}

// Status is where a K8Guard stands.
type Status struct {
	Mode        string        `json:"mode"`
	Enforcement string        `json:"enforcement"` // why it is on or off, in words
	Freezes     []Freeze      `json:"freezes"`
	Switches    []Switch      `json:"switches"` // the last changes of freezes and breaker, newest first
	Breaker     Breaker       `json:"breaker"`
	Permit      string        `json:"permit"`
	Budget      Budget        `json:"budget"`
	Cluster     string        `json:"cluster"`
	WatchAge    time.Duration `json:"watchAgeNanoseconds"`
	Stale       bool          `json:"stale"`
	Observed    time.Time     `json:"observed,omitzero"`
	// Clusters are all that actions answer for, as they saw them last.
	Clusters []Cluster `json:"clusters"`
	// Refused says why the newest configuration was not taken over; an older one is in force.
	Refused string `json:"configRefused,omitempty"`
}

// Cluster is one of those that actions answer for.
type Cluster struct {
	Name      string    `json:"name"`
	UID       string    `json:"uid"`
	Judged    int       `json:"judged"`          // roots, by the newest inventory
	Violating int       `json:"violating"`       // of them
	Stale     string    `json:"stale,omitempty"` // what is not read, or that it is silent; its cases stay as they are
	Since     time.Time `json:"since,omitzero"`  // of Stale
	Looked    time.Time `json:"looked"`
	Breaker   Breaker   `json:"breaker"`
}

// Freeze is one switch that stops enforcement. Pending: an act or undo that had
// begun is under way still, or its outcome is open.
type Freeze struct {
	Scope   string    `json:"scope"`
	By      string    `json:"by"`
	Reason  string    `json:"reason"`
	At      time.Time `json:"at"`
	Pending bool      `json:"pending"`
}

// Switch is one change of a freeze or the breaker. By is empty where no person changed it.
type Switch struct {
	At     time.Time `json:"at"`
	What   string    `json:"what"`
	Scope  string    `json:"scope,omitempty"`
	By     string    `json:"by,omitempty"`
	Reason string    `json:"reason"`
}

// Breaker is the latch that trouble opens and a person closes.
type Breaker struct {
	Open   bool      `json:"open"`
	Reason string    `json:"reason,omitempty"`
	At     time.Time `json:"at,omitzero"` // when it was opened
	// ClosedBy and ClosedAt are of one that is closed: by whom and why, and when.
	ClosedBy string    `json:"closedBy,omitempty"`
	ClosedAt time.Time `json:"closedAt,omitzero"`
}

// Budget is how many acts are allowed and used. PerHour is the lower of the number and the
// share of the roots that the configuration allows.
type Budget struct {
	PerHour      int       `json:"perHour"`
	UsedHour     int       `json:"usedHour"`
	PerDay       int       `json:"perDay"`
	UsedDay      int       `json:"usedDay"`
	PerNamespace int       `json:"perNamespace"` // this and the next two in a day
	PerOwner     int       `json:"perOwner"`
	PerRule      int       `json:"perRule"`
	Waiting      int       `json:"waiting"` // claims of the round that is open
	LastRound    string    `json:"lastRound"`
	LastAt       time.Time `json:"lastAt,omitzero"`
	// Spent is what was used in a day, most first; at most 200 names.
	Spent []Spent `json:"spent"`
}

// Spent is what one namespace, owner or rule has used of its budget in a day.
type Spent struct {
	By   string `json:"by"` // namespace, owner, rule
	Name string `json:"name"`
	Used int    `json:"used"`
	Left int    `json:"left"`
}
