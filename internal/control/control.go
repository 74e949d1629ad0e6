// Package control keeps the switches and the budget that hold enforcement: freeze, circuit
// breaker and budget.
//
// Purpose: everything that the gate and the ladder must agree on across processes, in a
// few records of the ledger, each changed by compare-and-set.
//
// Concurrency: safe for many goroutines and processes; the ledger's versions decide.
//
// Guarantees: a switch that is on stays on over restarts. A breaker latches, one for each
// cluster: only a person closes it, with a reason. The budget counts what was granted, never less.
//
// It will not: touch a cluster, or decide on a case.
package control

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/k8guard/k8guard/internal/ledger"
)

const (
	freezeKey  = "control/freeze"
	breakerKey = "control/breaker"
	undosKey   = "control/undone"
)

// Freeze is one switch: global, of a cluster ("cluster/NAME") or of a rule ("rule/ID").
type Freeze struct {
	Scope  string    `json:"scope"`
	By     string    `json:"by"`
	Reason string    `json:"reason"`
	At     time.Time `json:"at"`
}

// Control reads and changes the switches.
type Control struct {
	records ledger.Records
	now     func() time.Time
	budget  sync.Mutex // see change
	tell    func(Event)
	listed  sync.Map // UIDs of clusters that are on record
}

// New returns controls kept in these records.
func New(records ledger.Records, now func() time.Time) *Control {
	return &Control{records: records, now: now, tell: func(Event) {}}
}

// OnChange names who hears of each switch that this process changes, once it is changed. Set
// it before use.
func (c *Control) OnChange(tell func(Event)) { c.tell = tell }

// Freezes lists the switches that are on.
func (c *Control) Freezes(ctx context.Context) ([]Freeze, error) {
	return ledger.Read[[]Freeze](ctx, c.records, freezeKey)
}

// Frozen is the scope under which enforcement on this cluster for these rules is frozen, or "".
// By whom and why is in [Control.Freezes]: what asks here writes it where others read.
func (c *Control) Frozen(ctx context.Context, cluster string, rules ...string) (string, error) {
	list, err := c.Freezes(ctx)
	if err != nil {
		return "", err
	}
	return FrozenBy(list, cluster, rules...), nil
}

// FrozenBy is [Control.Frozen] of switches that were read before, as for many clusters at once.
func FrozenBy(list []Freeze, cluster string, rules ...string) string {
	for _, f := range list {
		rule, isRule := strings.CutPrefix(f.Scope, "rule/")
		if f.Scope == "global" || f.Scope == "cluster/"+cluster || isRule && slices.Contains(rules, rule) {
			return f.Scope
		}
	}
	return ""
}

// CheckScope says what is wrong with a scope, or nil.
func CheckScope(scope string) error {
	kind, name, found := strings.Cut(scope, "/")
	if scope == "global" || found && name != "" && (kind == "cluster" || kind == "rule") {
		return nil
	}
	return fmt.Errorf("scope %q: write global, cluster/NAME or rule/ID", scope)
}

// Freeze switches on. A scope that is frozen already keeps its first reason; who asked
// again, and why, is in the log.
func (c *Control) Freeze(ctx context.Context, scope, by, reason string) error {
	if err := CheckScope(scope); err != nil {
		return err
	}
	_, err := ledger.UpdateRecord(ctx, c.records, freezeKey, func(list *[]Freeze) (bool, error) {
		if slices.ContainsFunc(*list, func(f Freeze) bool { return f.Scope == scope }) {
			return false, nil
		}
		*list = append(*list, Freeze{Scope: scope, By: by, Reason: reason, At: c.now().UTC()})
		return true, nil
	})
	if err != nil {
		return err
	}
	return c.note(ctx, Event{What: EventFrozen, Scope: scope, By: by, Reason: reason})
}

// Unfreeze switches off; what is not frozen is an error that lists what is.
func (c *Control) Unfreeze(ctx context.Context, scope string) error {
	_, err := ledger.UpdateRecord(ctx, c.records, freezeKey, func(list *[]Freeze) (bool, error) {
		kept := slices.DeleteFunc(slices.Clone(*list), func(f Freeze) bool { return f.Scope == scope })
		if len(kept) == len(*list) {
			var scopes []string
			for _, f := range *list {
				scopes = append(scopes, f.Scope)
			}
			return false, fmt.Errorf("%s is not frozen; %s", scope, frozenAre(scopes))
		}
		*list = kept
		return true, nil
	})
	return err
}

func frozenAre(scopes []string) string {
	if len(scopes) == 0 {
		return "nothing is"
	}
	return "frozen are: " + strings.Join(scopes, ", ")
}
