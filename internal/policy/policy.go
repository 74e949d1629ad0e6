// Package policy decides what follows from a case.
//
// Purpose: the ladder as a pure function: (case, policy, exemptions, freshness, controls,
// now) → step, named reason, next date.
//
// Concurrency: functions over values; no state.
//
// Guarantees: the same input gives the same decision. Every decision names its reason from
// the bounded list below. [Decide] never says [Act] for a case that lacks confirmed
// warnings, is exempt, stale, unknown, dormant, seen only on a pod, or held by a control; nor
// [Notify] while the ledger is in doubt.
//
// It will not: do input or output, read a clock, or allow anything: the gate judges again.
package policy

import (
	"fmt"
	"slices"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/rule"
)

// The steps.
const (
	None   = "none"   // nothing to do until something changes
	Wait   = "wait"   // until Plan.At
	Open   = "open"   // the finding becomes a case
	Notify = "notify" // tell the owner
	Act    = "act"    // ask the gate
)

// The named reasons.
const (
	Standing    = "standing"       // seen, not yet long enough
	Due         = "due"            // the step is due now
	Waiting     = "waiting"        // for the next step's time
	InFlight    = "notice-pending" // a notice is on its way
	Exempt      = "exempt"
	Stale       = "stale"        // not sighted within two resyncs
	Unknown     = "unknown"      // the rule could not judge
	Dormant     = "dormant"      // nothing of it runs
	NotifyOnly  = "notify-only"  // the kind, or a pod-only finding, is never acted on
	SafeMode    = "safe-mode"    // enforcement is off for this K8Guard
	WarnPolicy  = "policy-warns" // the policy does not act
	DryRun      = "dry-run"      // nobody is told
	HumanNeeded = "needs-human"  // K8Guard stops; a person decides
	Frozen      = "frozen"
	BreakerOpen = "breaker-open"
	LedgerDoubt = "ledger-in-doubt" // it may not know what was told and done
	Refused     = "refused"         // the gate said no; it is asked again later
	CoolOff     = "cool-off"        // after an undo
	IsActed     = "acted"
	IsUndone    = "undone" // acted, taken back, and cooled off
	IsContested = "contested"
	IsResolved  = "resolved"
	ActUnderWay = "act-under-way"
	Acked       = "acknowledged" // a person has seen it, and the policy lets the ladder pause
)

// Controls are the switches that hold or allow everything at once.
type Controls struct {
	Mode    string // config.Mode…
	Frozen  string // the scope; empty when not
	Breaker string // why it is open, which no plan says: it may tell of others; empty when closed
	Doubt   string // why the ledger may not know what was told and done; empty when it does
}

// Input is all that a decision depends on.
type Input struct {
	Docket docket.Docket
	Case   docket.Case
	Owner  v1.Owner // as resolved, fallback included
	Policy config.Policy
	// Category is the rule's; a policy acts on some only by name.
	Category rule.Category
	Exempt   *config.Exemption // that applies now, or nil
	Fresh    bool
	Control  Controls
	MinAge   time.Duration
	Budget   string // names its limits, see [docket.Refusal]
	Now      time.Time
}

// Decide returns the next step of a case.
func Decide(in Input) docket.Plan {
	for _, stage := range []func(Input) (docket.Plan, bool){doubted, closed, standing, held, warn, act} {
		if plan, ok := stage(in); ok {
			return plan
		}
	}
	return plan(Act, Due)
}

// UnderWay reports whether something is being done about a case whose end may not be told.
// Other plans end at their date, or by what is told: an observation, a sighting, a switch, a
// person, the notice that an outbox makes of them.
func UnderWay(p docket.Plan) bool {
	return p.Step == Open || p.Step == Act || p.Reason == InFlight || p.Reason == ActUnderWay
}

func plan(step, reason string) docket.Plan { return docket.Plan{Step: step, Reason: reason} }

func hold(reason, format string, args ...any) (docket.Plan, bool) {
	return docket.Plan{Step: None, Reason: reason, Text: fmt.Sprintf(format, args...)}, true
}

func wait(reason, next string, at time.Time) (docket.Plan, bool) {
	return docket.Plan{Step: Wait, Reason: reason, Next: next, At: at.Round(0).UTC()}, true
}

// doubted holds everything while the ledger may not know what was told and done. What is exempt
// stays so: nothing follows of it anyway.
func doubted(in Input) (docket.Plan, bool) {
	switch {
	case in.Control.Doubt == "":
		return docket.Plan{}, false
	case in.Exempt != nil && in.Case.State == docket.Open:
		return exempt(in, in.Control.Doubt+docket.Otherwise), true
	}
	return hold(LedgerDoubt, "%s", in.Control.Doubt)
}

// closed handles what is over, but for telling it once.
func closed(in Input) (docket.Plan, bool) {
	c := in.Case
	tell := in.Control.Mode != config.ModeDryRun && len(in.Owner.Emails) > 0
	switch c.State {
	case docket.Resolved:
		switch {
		case !tell || c.ToldResolved || !c.Owes(in.Owner.Key()):
			return hold(IsResolved, "")
		case c.Telling():
			return hold(InFlight, "")
		}
		return docket.Plan{Step: Notify, Reason: Due, Next: string(docket.AllClear)}, true
	case docket.Contested:
		how := "someone put it back while it still violates"
		if d := in.Docket; d.Enforcement == nil && d.Refusal != nil {
			how = d.Refusal.Text // it was put back at once: nothing is in force
		}
		return hold(IsContested, "%s; K8Guard stops, a person decides", how)
	case docket.Acted:
		news := docket.Enforced
		if in.Docket.Undone() {
			news = docket.Undone
		}
		if tell && !c.Told(news) {
			return once(in, news)
		}
		if in.Now.Before(in.Docket.CoolOffUntil) {
			return docket.Plan{Step: None, Reason: CoolOff, Text: "undone; cooling off", At: in.Docket.CoolOffUntil}, true
		}
		if in.Docket.Undone() {
			return hold(IsUndone, "undone: K8Guard does not act on this object again")
		}
		return hold(IsActed, "")
	}
	return docket.Plan{}, false
}

// once tells a closing notice, unless one is under way.
func once(in Input, p docket.Purpose) (docket.Plan, bool) {
	if in.Case.Telling() {
		return hold(InFlight, "")
	}
	return docket.Plan{Step: Notify, Reason: Due, Next: string(p)}, true
}

func standing(in Input) (docket.Plan, bool) {
	if in.Case.State != docket.Standing {
		return docket.Plan{}, false
	}
	if at := in.Case.FirstSeen.Add(in.Policy.Ladder.Standing); in.Now.Before(at) {
		return wait(Standing, Open, at)
	}
	return plan(Open, Due), true
}

// held names what stops the ladder where it stands.
func held(in Input) (docket.Plan, bool) {
	switch {
	case in.Control.Mode == config.ModeDryRun && in.Exempt != nil:
		return exempt(in, dryRun), true
	case in.Control.Mode == config.ModeDryRun:
		return hold(DryRun, "%s", dryRun+otherwise(in))
	case in.Exempt != nil:
		return exempt(in, ""), true
	case in.Case.Unknown != "":
		return hold(Unknown, "cannot be judged: %s", in.Case.Unknown)
	case !in.Fresh:
		return hold(Stale, "not sighted within two resyncs: nothing is done until the audit is whole again; /readyz says what is missing")
	case in.Docket.Dormant != "":
		return hold(Dormant, "%s: the ladder pauses, its count stays", in.Docket.Dormant)
	case !Paused(in.Case, in.Policy.Ladder, in.Now).IsZero():
		return docket.Plan{Step: None, Reason: Acked, At: Paused(in.Case, in.Policy.Ladder, in.Now),
			Text: fmt.Sprintf("acknowledged by %s: %s; the ladder pauses", in.Case.Ack.By, in.Case.Ack.Reason)}, true
	case in.Docket.Enforcement != nil && in.Docket.Enforcement.State == docket.Intent:
		return hold(ActUnderWay, "an act on this object is under way")
	case in.Case.Telling():
		return hold(InFlight, "a notice is on its way")
	case len(in.Owner.Emails) == 0:
		return hold(HumanNeeded, "nobody to tell: the namespace names no owner, and no fallback is configured")
	}
	return docket.Plan{}, false
}

// dryRun begins the plan of what only a dry run holds.
const dryRun = "dry run: nobody is told" + docket.Otherwise

// exempt holds a case until its exemption ends, whatever else holds everything.
func exempt(in Input, also string) docket.Plan {
	until := in.Exempt.Expires.UTC()
	return docket.Plan{Step: None, Reason: Exempt, At: until, Text: fmt.Sprintf("%sexempt until %s: %s", also, until.Format("2006-01-02 15:04 MST"), in.Exempt.Reason)}
}

// otherwise says what would follow if K8Guard might act.
func otherwise(in Input) string {
	in.Control.Mode = config.ModeEnforce
	switch p := Decide(in); {
	case p.Step == Notify:
		return fmt.Sprintf("%s would be warned now", in.Owner.Key())
	case p.Step == Act:
		return Action(in.Docket.Root.Kind) + " would be asked of the gate now"
	case p.Step == Wait:
		return fmt.Sprintf("%s would follow at %s", p.Next, p.At.Format("2006-01-02 15:04 MST"))
	case p.Text != "":
		return p.Text
	default:
		return p.Reason
	}
}

// maxFailed is how many notices in a row may be given up before a person must look.
const maxFailed = 3

// warn says when the next warning is due, while confirmed ones are missing.
func warn(in Input) (docket.Plan, bool) {
	ladder := in.Policy.Ladder
	confirmed, tries := in.Case.Count(in.Owner.Key())
	warned := in.Case.WarnedSince(in.Owner.Key(), in.Case.OpenedAt)
	if !Acts(in) { // a ladder that only tells is done when it was told, in whatever room
		confirmed, warned = in.Case.Heard(in.Owner.Key()), in.Case.HeardSince(in.Owner.Key(), in.Case.OpenedAt)
	}
	enough := confirmed >= ladder.Warnings
	// A case that was resolved and came back brings its count, and is warned of once more; so is
	// one whose last warning named no act, where one follows now.
	if enough && warned && (!Acts(in) || !actAt(in).IsZero()) {
		return docket.Plan{}, false
	}
	if limit := MaxTries(ladder); tries >= limit && (tries > limit || !enough || !Acts(in) || namedAct(in.Case)) {
		return hold(HumanNeeded, "%d of %d warnings confirmed in %d tries; no more are sent", confirmed, ladder.Warnings, tries)
	}
	if n, last := in.Case.Failed(); n >= maxFailed && in.Now.Before(last.Add(ladder.Wait)) {
		return docket.Plan{Step: Wait, Reason: HumanNeeded, Next: string(docket.Warning), At: last.Add(ladder.Wait).Round(0).UTC(),
			Text: fmt.Sprintf("%d notices to %s could not be delivered; a person must see to it", n, in.Owner.Key())}, true
	}
	if last := in.Case.LastTry(); !last.IsZero() {
		if at := last.Add(ladder.Wait); in.Now.Before(at) {
			return wait(Waiting, fmt.Sprintf("warning %d of %d", min(confirmed+1, ladder.Warnings), ladder.Warnings), at)
		}
	}
	return docket.Plan{Step: Notify, Reason: Due, Next: string(docket.Warning)}, true
}

// actAt is the date that the last warning of this life of the case named for the act.
func actAt(in Input) time.Time { return in.Case.ActAt(in.Owner.Key(), in.Case.OpenedAt) }

// namedAct reports whether a warning that named an act may have arrived: the one try beyond
// the cap is for a case that had none, and is not repeated.
func namedAct(c docket.Case) bool {
	return slices.ContainsFunc(c.Notices, func(n docket.NoticeRef) bool { return !n.ActAt.IsZero() && !n.Beside && n.Result != docket.FailedSend })
}

// Acts reports whether the ladder of a case ends in a hard action, as things stand: what a
// warning may announce. Whether and when it is due is for [Decide], and for the gate.
func Acts(in Input) bool {
	_, never := tellsOnly(in)
	return !never
}

// tellsOnly names why no hard action follows, however many warnings there are.
func tellsOnly(in Input) (docket.Plan, bool) {
	d, c := in.Docket, in.Case
	switch {
	case c.From != v1.FromTemplate || Action(d.Root.Kind) == "":
		return hold(NotifyOnly, "told, never acted on: %s", notifyOnly(d, c))
	case d.ThrowAway(in.Now):
		return hold(NotifyOnly, "told, never acted on: roots like it come and go within a day")
	case in.Control.Mode != config.ModeEnforce:
		return hold(SafeMode, "safe mode: K8Guard tells, it does not act")
	case d.Enforcement != nil && d.Enforcement.State == docket.Unclear:
		return hold(HumanNeeded, "%s; K8Guard does not try again, a person decides", d.Enforcement.Settled)
	case d.Enforcement != nil:
		return hold(HumanNeeded, "this object has seen its one enforcement: K8Guard tells, a person decides")
	case !in.Policy.Enforce:
		return hold(WarnPolicy, "policy %q warns only", in.Policy.Name)
	case !in.Category.ActsUnnamed() && !slices.Contains(in.Policy.Match.Rules, c.Rule):
		return hold(WarnPolicy, "%s is about %s: a policy must name it in match.rules to act on it", c.Rule, in.Category)
	case !in.Owner.Platform:
		return hold(HumanNeeded, "warnings went to %s (%s); only an owner named by the platform counts", in.Owner.Key(), in.Owner.From)
	}
	return docket.Plan{}, false
}

// act says whether the hard action follows, and when: never before the date that the last
// warning named.
func act(in Input) (docket.Plan, bool) {
	if plan, ok := tellsOnly(in); ok {
		return plan, true
	}
	d, at := in.Docket, actAt(in)
	for _, other := range []time.Time{in.Case.LastTry().Add(LastWait(in.Policy.Ladder)), in.Case.OpenedAt.Add(in.MinAge)} {
		if other.After(at) {
			at = other
		}
	}
	switch {
	case in.Now.Before(at):
		return wait(Waiting, Action(d.Root.Kind), at)
	case in.Control.Frozen != "":
		return hold(Frozen, "frozen: %s", in.Control.Frozen)
	case in.Control.Breaker != "":
		return hold(BreakerOpen, "the circuit breaker is open; the overview says why")
	case d.Refusal != nil && d.Refusal.Holds(in.Now, in.Budget):
		reason := Refused
		if d.Refusal.Human {
			reason = HumanNeeded
		}
		return docket.Plan{Step: Wait, Reason: reason, Next: Action(d.Root.Kind), At: d.Refusal.Until.UTC(),
			Text: fmt.Sprintf("gate rule %d, %s: %s", d.Refusal.Rule, d.Refusal.Name, d.Refusal.Text)}, true
	}
	return docket.Plan{}, false
}

func notifyOnly(d docket.Docket, c docket.Case) string {
	if c.From != v1.FromTemplate && d.Root.Kind != "Pod" {
		return "only a live pod shows it, not the template of " + d.Root.String()
	}
	return "a " + d.Root.Kind + " is never acted on"
}
