package enforce

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/control"
	"github.com/k8guard/k8guard/internal/crash"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
)

// conflicts is how often an act is judged again after someone else changed the object.
const conflicts = 5

var (
	// errConflict says that the object changed between our read and our write.
	errConflict = errors.New("the object changed meanwhile")
	// errReset says that the server took our write and answered with another value.
	errReset = errors.New("something resets the value")
	// errTaken says that another process settles this enforcement now.
	errTaken = errors.New("another process took the enforcement over")
)

// carry judges and writes, again after a conflict, at most five times.
func (e *Enforcer) carry(ctx context.Context, d docket.Docket, pol config.Policy) error {
	var spent Grant
	for range conflicts {
		refusal, written, err := e.try(ctx, &d, pol, &spent)
		switch {
		case errors.Is(err, errTaken):
			return err
		case errors.Is(err, errConflict) && !errors.Is(err, errAgain):
			e.Log.Info("object changed; judging again", "root", d.Root.String(), "enforcement", d.Enforcement.ID)
			continue
		case err != nil:
			e.Log.Warn("outcome of the act is open; settling it", "root", d.Root.String(), "err", err)
			return e.settle(ctx, d)
		case refusal != nil:
			return e.refuse(ctx, d, *refusal)
		}
		crash.At(crash.AfterAct)
		return e.did(ctx, d, written, "")
	}
	return e.refuse(ctx, d, Refusal{Rule: 7, Name: "preconditions", Text: fmt.Sprintf("the object changed %d times while it was judged", conflicts)})
}

// try is one round: prior state, facts, gate, write. A grant is spent once for all rounds.
// An error that is neither errTaken nor a plain errConflict means that the outcome is open.
func (e *Enforcer) try(ctx context.Context, d *docket.Docket, pol config.Policy, spent *Grant) (*Refusal, string, error) {
	grant := *spent
	if grant.ID == "" {
		grant = e.grant(ctx, d.Key)
	}
	if no := overBudgetNone(Facts{Grant: grant}); no.Text != "" {
		// Said of thousands at once, perhaps: no further word is asked of the API server for it.
		return &Refusal{Rule: 9, Name: "over-budget-none", Text: no.Text, Human: no.Human}, "", nil
	}
	live, prior := e.read(ctx, d.Root)
	if live.Err == nil {
		next, err := e.prepare(ctx, *d, prior, grant.ID)
		if errors.Is(err, errTaken) {
			return nil, "", err
		}
		if err != nil {
			return &Refusal{Rule: 16, Name: "explainable", Text: err.Error()}, "", nil
		}
		*d = next
	}
	facts := e.facts(ctx, *d, live, pol)
	facts.Grant = grant
	if err := e.watchErrors(ctx, facts); err != nil {
		return &Refusal{Rule: 10, Name: "breaker", Text: err.Error()}, "", nil
	}
	if refusal := Judge(facts); refusal != nil {
		if refusal.Rule == 7 && errors.Is(facts.DryRun.Err, errConflict) {
			return nil, "", facts.DryRun.Err
		}
		return refusal, "", nil
	}
	if refusal := e.count(ctx, *d, grant, spent); refusal != nil {
		return refusal, "", nil
	}
	if err := e.mark(ctx, *d); err != nil {
		return nil, "", err
	}
	crash.At(crash.BeforeAct)
	var written string
	err := send(ctx, func(ctx context.Context) (err error) {
		written, err = e.write(ctx, *d, live, false)
		return err
	})
	switch {
	case putBack(err):
		return &Refusal{Rule: 7, Name: "preconditions", Text: resetText(*d, err), Human: true, Reset: true}, "", nil
	case errors.Is(err, errRefused):
		return refused(err), "", nil
	}
	return nil, written, err
}

// count makes the act count before it is sent: in the cluster each time, in the budget once.
func (e *Enforcer) count(ctx context.Context, d docket.Docket, grant Grant, spent *Grant) *Refusal {
	if err := e.raiseSequence(ctx); err != nil {
		return &Refusal{Rule: 10, Name: "breaker", Text: err.Error()}
	}
	if spent.ID != "" {
		return nil
	}
	if err := e.Control.Spend(ctx, d.Key.Cluster, d.Key.String()); err != nil {
		return &Refusal{Rule: 8, Name: "budget", Text: err.Error()}
	}
	*spent = grant
	return nil
}

// prepare puts the prior state and the grant on record, before anything is sent.
func (e *Enforcer) prepare(ctx context.Context, d docket.Docket, prior docket.Prior, grant string) (docket.Docket, error) {
	return ledger.Update(ctx, e.Store, d.Key, func(x docket.Docket) (docket.Docket, []docket.Entry, bool, error) {
		if !e.holds(x, d) {
			return x, nil, false, fmt.Errorf("%s: %w", d.Enforcement.ID, errTaken)
		}
		return docket.SetPrior(x, prior, grant), nil, true, nil
	})
}

// mark puts on record that the act goes out now. Whoever took the intent over before finds
// it unmarked, and this process cannot mark it any more.
func (e *Enforcer) mark(ctx context.Context, d docket.Docket) error {
	_, err := ledger.Update(ctx, e.Store, d.Key, func(x docket.Docket) (docket.Docket, []docket.Entry, bool, error) {
		if !e.holds(x, d) {
			return x, nil, false, fmt.Errorf("%s: %w", d.Enforcement.ID, errTaken)
		}
		return docket.SetSending(x, e.Now().UTC()), nil, true, nil
	})
	return err
}

// holds reports whether the stored docket still has d's intent, in this process's hands.
// Whoever settles an intent takes it first: from then on its former holder can neither
// store a newer resourceVersion or the mark, and so send no further write, nor record an outcome.
func (e *Enforcer) holds(stored, d docket.Docket) bool {
	x := stored.Enforcement
	return x != nil && x.ID == d.Enforcement.ID && x.State == docket.Intent && x.Holder == e.Holder
}

func (e *Enforcer) did(ctx context.Context, d docket.Docket, written, settled string) error {
	_, err := ledger.Update(ctx, e.Store, d.Key, func(x docket.Docket) (docket.Docket, []docket.Entry, bool, error) {
		if !e.holds(x, d) {
			return x, nil, false, fmt.Errorf("%s: %w", d.Enforcement.ID, errTaken)
		}
		next, entries := docket.Did(x, written, settled, e.Now().UTC())
		return next, entries, entries != nil, nil
	})
	if err == nil {
		e.counts.acted(d, resultDone)
		e.Log.Info("acted", "action", d.Enforcement.Action, "root", d.Root.String(), "enforcement", d.Enforcement.ID)
		e.eventActed(ctx, d)
	}
	return err
}

// maxPause and maxHumanPause bound how long a docket that was refused for the same reason
// again and again is left alone.
const (
	maxPause      = 30 * time.Minute
	maxHumanPause = 6 * time.Hour
)

// overBudget is the number of the rule whose no a changed budget may answer.
const overBudget = 9

// pause is how long a refused docket is left alone: twice as long as the last time, if the
// reason is the same. Where a person is needed the rule alone decides: its words may count
// what changes by the minute, such as how far a round was over budget.
func (e *Enforcer) pause(r Refusal, before *docket.Refusal) time.Duration {
	pause, limit := e.Config.Enforce.Budget.Round, maxPause
	if r.Human {
		pause, limit = max(10*pause, time.Minute), maxHumanPause
	}
	if before != nil && (before.Same(r.Rule, r.Text) || r.Human && before.Human && before.Rule == r.Rule) {
		pause = max(pause, 2*before.Until.Sub(before.At))
	}
	return min(pause, max(limit, e.Config.Enforce.Budget.Round))
}

// refuse takes the intent back and says until when the docket is left alone.
func (e *Enforcer) refuse(ctx context.Context, d docket.Docket, r Refusal) error {
	if err := e.Control.GiveBack(ctx, d.Key.Cluster, d.Key.String()); err != nil {
		return err
	}
	now := e.Now().UTC()
	pause := e.pause(r, d.Refusal)
	_, err := ledger.Update(ctx, e.Store, d.Key, func(x docket.Docket) (docket.Docket, []docket.Entry, bool, error) {
		if !e.holds(x, d) {
			return x, nil, false, fmt.Errorf("%s: %w", d.Enforcement.ID, errTaken)
		}
		no := docket.Refusal{Rule: r.Rule, Name: r.Name, Text: r.Text, Human: r.Human, At: now, Until: now.Add(pause)}
		if r.Rule == overBudget {
			no.Budget = control.NameOf(e.Config.Enforce.Budget)
		}
		take := docket.Refuse
		if r.Reset {
			take = docket.Contest
		}
		next, entries := take(x, no)
		return next, entries, true, nil
	})
	if err == nil {
		e.counts.refused(d, r)
	}
	e.Log.Info("refused", "root", d.Root.String(), "rule", r.Rule, "name", r.Name, "text", r.Text)
	return err
}
