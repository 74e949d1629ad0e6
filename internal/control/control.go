// Package control keeps the switches and the budget that hold enforcement: freeze, circuit
// breaker and budget.
//
// Purpose: everything that the gate and the ladder must agree on across processes, in a
// few records of the ledger, each changed by compare-and-set.
//
// Concurrency: safe for many goroutines and processes; the ledger's versions decide.
//
// Guarantees: a switch that is on stays on over restarts. The breaker latches: only a
// person closes it, with a reason. The budget counts what was granted, never less.
//
// It will not: touch a cluster, or decide on a case.
package control

import (
	"context"
	"errors"
	"fmt"
	"maps"
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

// Breaker is the circuit breaker.
type Breaker struct {
	Open     bool      `json:"open"`
	Reason   string    `json:"reason"`
	At       time.Time `json:"at"`
	ClosedBy string    `json:"closedBy,omitempty"`
}

// Control reads and changes the switches.
type Control struct {
	records ledger.Records
	now     func() time.Time
	budget  sync.Mutex // see change
	tell    func(Event)
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

// Breaker returns the circuit breaker.
func (c *Control) Breaker(ctx context.Context) (Breaker, error) {
	return ledger.Read[Breaker](ctx, c.records, breakerKey)
}

// Trip opens the breaker; the first reason stays until a person closes it.
func (c *Control) Trip(ctx context.Context, reason string) error {
	fresh := false
	_, err := ledger.UpdateRecord(ctx, c.records, breakerKey, func(b *Breaker) (bool, error) {
		fresh = !b.Open
		if !fresh {
			return false, nil
		}
		*b = Breaker{Open: true, Reason: reason, At: c.now().UTC()}
		return true, nil
	})
	if err != nil || !fresh {
		return err
	}
	return c.note(ctx, Event{What: EventTripped, Reason: reason})
}

// Close closes the breaker for a person with a reason.
func (c *Control) Close(ctx context.Context, by, reason string) error {
	if by == "" || reason == "" {
		return errors.New("closing the breaker needs a name and a reason")
	}
	_, err := ledger.UpdateRecord(ctx, c.records, breakerKey, func(b *Breaker) (bool, error) {
		if !b.Open {
			return false, errors.New("the breaker was not open; nothing changed")
		}
		b.Open, b.ClosedBy = false, fmt.Sprintf("%s: %s", by, reason)
		return true, nil
	})
	if err != nil {
		return err
	}
	return c.note(ctx, Event{What: EventClosed, By: by, Reason: reason})
}

// CountUndo notes the undo of an enforcement, once by its ID; limit of them within an hour
// trip the breaker. Asked again after a kill, it trips what the first time did not get to.
func (c *Control) CountUndo(ctx context.Context, id string, limit int) error {
	now := c.now().UTC()
	undone, err := ledger.UpdateRecord(ctx, c.records, undosKey, func(undone *map[string]time.Time) (bool, error) {
		maps.DeleteFunc(*undone, func(_ string, at time.Time) bool { return now.Sub(at) > time.Hour })
		if _, counted := (*undone)[id]; counted {
			return false, nil
		}
		if *undone == nil {
			*undone = map[string]time.Time{}
		}
		(*undone)[id] = now
		return true, nil
	})
	if err != nil || limit < 1 || len(undone) < limit {
		return err
	}
	return c.Trip(ctx, fmt.Sprintf("%d undos within an hour", len(undone)))
}
