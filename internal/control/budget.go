package control

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/ledger"
)

// maxClaims bounds the claims of a round.
const maxClaims = 1000

// grantLife is how long a grant may wait to be used.
const grantLife = 5 * time.Minute

// Claim asks for one enforcement. ID is the docket's key.
type Claim struct {
	ID        string    `json:"id"`
	Namespace string    `json:"namespace"`
	Owner     string    `json:"owner"`
	Rules     []string  `json:"rules"`
	At        time.Time `json:"at"`
}

// Grant is a claim that a round allowed. It counts as spent from then on, unless it is
// given back or expires unused.
type Grant struct {
	Claim
	Grant   string    `json:"grant"`
	Granted time.Time `json:"granted"`
	Used    bool      `json:"used"`
}

// Budget is the one document of a cluster's budget.
type Budget struct {
	Claims []Claim           `json:"claims"`
	Grants []Grant           `json:"grants"`
	Over   map[string]string `json:"over"` // by claim: why its round was refused; until it is given back
	// Overflow counts the claims that found the round full: they are refused, and the round with them.
	Overflow int       `json:"overflow,omitempty"`
	Rounds   int       `json:"rounds"`
	Last     string    `json:"last"` // how the last round ended, in words
	LastAt   time.Time `json:"lastAt,omitzero"`
}

func budgetKey(cluster string) string { return "budget/" + cluster }

// change updates the document. Those of one process wait for each other: it is large when
// thousands are refused, and side by side they would only make each other begin again.
func (c *Control) change(ctx context.Context, cluster string, f func(*Budget) (bool, error)) (Budget, error) {
	c.budget.Lock()
	defer c.budget.Unlock()
	return ledger.UpdateRecord(ctx, c.records, budgetKey(cluster), f)
}

// File puts claims into the round that is open, and returns the budget as it is then; one that
// is there, granted or refused already stays as it is.
func (c *Control) File(ctx context.Context, cluster string, claims ...Claim) (Budget, error) {
	return c.change(ctx, cluster, func(b *Budget) (bool, error) {
		filed := map[string]bool{}
		for _, x := range b.Claims {
			filed[x.ID] = true
		}
		changed := false
		for _, claim := range claims {
			if !filed[claim.ID] && !b.Answered(claim.ID, c.now()) {
				filed[claim.ID], changed = true, true
				b.file(claim, c.now().UTC())
			}
		}
		return changed, nil
	})
}

func (b *Budget) file(claim Claim, now time.Time) {
	if len(b.Claims) >= maxClaims {
		b.refuse(claim.ID, fmt.Sprintf("more than %d acts at once", maxClaims))
		b.Overflow++
		return
	}
	// One act counts once for a rule, however many of its cases it answers.
	claim.Rules, claim.At = slices.Compact(slices.Sorted(slices.Values(claim.Rules))), now
	b.Claims = append(b.Claims, claim)
}

// Answered reports whether a claim was granted or refused.
func (b *Budget) Answered(id string, now time.Time) bool {
	_, granted := b.grant(id, now)
	return granted || b.Over[id] != ""
}

// Asks reports whether a claim's docket asks for the act still.
type Asks func(ctx context.Context, id string) (bool, error)

// CloseRound ends the open round when its time is over: all of its claims are granted, or
// none. Judged is the number of roots in the last complete inventory; 0 grants nothing. What
// nobody asks for any more does not count: who filed it may have died. Nil asks nobody.
func (c *Control) CloseRound(ctx context.Context, cluster string, limits config.Budget, judged int, asks Asks) error {
	b, err := c.Budget(ctx, cluster)
	if err != nil || !b.ends(limits, judged, c.now()) {
		return err
	}
	orphans, err := b.orphans(ctx, asks)
	if err != nil {
		return err
	}
	_, err = c.change(ctx, cluster, func(b *Budget) (bool, error) {
		now := c.now().UTC()
		if !b.ends(limits, judged, now) {
			return false, nil
		}
		b.Claims = slices.DeleteFunc(b.Claims, func(x Claim) bool { return orphans[x.ID] })
		b.Grants = slices.DeleteFunc(b.Grants, func(x Grant) bool { return orphans[x.ID] && !x.Used })
		for id := range orphans {
			delete(b.Over, id)
		}
		if len(b.Claims) == 0 {
			b.Overflow = 0 // what found the round full was refused by whoever asks no more
			return true, nil
		}
		b.close(limits, judged, now)
		return true, nil
	})
	return err
}

// ends reports whether the time of the open round is over.
func (b *Budget) ends(limits config.Budget, judged int, now time.Time) bool {
	return len(b.Claims) > 0 && now.Sub(b.Claims[0].At) >= limits.Round && judged > 0
}

// orphans are the claims, and the grants that were not used, that nobody asks for any more. A
// refusal stands until it is heard: who rests for a moment, for nobody has seen its object lately,
// would else come again with fewer beside it.
func (b *Budget) orphans(ctx context.Context, asks Asks) (map[string]bool, error) {
	found := map[string]bool{}
	if asks == nil {
		return found, nil
	}
	ids := map[string]bool{}
	for _, claim := range b.Claims {
		ids[claim.ID] = true
	}
	for _, g := range b.Grants {
		if !g.Used {
			ids[g.ID] = true
		}
	}
	for id := range ids {
		asked, err := asks(ctx, id)
		if err != nil {
			return nil, err
		}
		if !asked {
			found[id] = true
		}
	}
	return found, nil
}

func (b *Budget) close(limits config.Budget, judged int, now time.Time) {
	b.Grants = slices.DeleteFunc(b.Grants, func(g Grant) bool { return now.Sub(g.Granted) > 24*time.Hour || g.expired(now) })
	b.Rounds++
	b.LastAt = now
	if over := b.over(limits, judged, now); over != "" {
		for _, claim := range b.Claims {
			b.refuse(claim.ID, over)
		}
		b.Last = fmt.Sprintf("%d claims refused: %s", len(b.Claims), over)
	} else {
		for _, claim := range b.Claims {
			b.Grants = append(b.Grants, Grant{Claim: claim, Grant: fmt.Sprintf("round-%d", b.Rounds), Granted: now})
		}
		b.Last = fmt.Sprintf("%d claims granted", len(b.Claims))
	}
	b.Claims, b.Overflow = nil, 0
}

// refuse keeps why a claim was refused until its docket has heard of it. Nobody else is to
// take its place meanwhile: what is refused together stays refused together.
func (b *Budget) refuse(id, why string) {
	if b.Over == nil || len(b.Over) >= 4*maxClaims { // of dockets that never came for it
		b.Over = map[string]string{}
	}
	b.Over[id] = why
}

// over says which limit the open claims and what was spent would pass together, or "".
func (b *Budget) over(l config.Budget, judged int, now time.Time) string {
	hour := HourLimit(l, judged)
	asked := len(b.Claims) + b.Overflow
	if n := b.spent(now, time.Hour) + asked; n > hour {
		return fmt.Sprintf("%d acts in an hour, %d allowed (perHour %d, %g %% of %d roots, floor %d); %s",
			n, hour, l.PerHour, l.Percent, judged, l.Floor, takes(n, hourSettings(l, judged, n)...))
	}
	if n := b.spent(now, 24*time.Hour) + asked; n > l.PerDay {
		return fmt.Sprintf("%d acts in a day, %d allowed; %s", n, l.PerDay, takes(n, "perDay"))
	}
	counts := map[string]int{}
	count := func(c Claim) {
		counts["namespace "+c.Namespace]++
		counts["owner "+c.Owner]++
		for _, r := range c.Rules {
			counts["rule "+r]++
		}
	}
	for _, g := range b.Grants {
		count(g.Claim)
	}
	for _, c := range b.Claims {
		count(c)
	}
	for _, c := range b.Claims {
		for name, limit := range c.limits(l) {
			if counts[name] > limit {
				by, _, _ := strings.Cut(name, " ")
				return fmt.Sprintf("%d acts in a day for %s, %d allowed; %s", counts[name], name, limit, takes(counts[name], daySettings()[by]))
			}
		}
	}
	return ""
}

func (c Claim) limits(l config.Budget) map[string]int {
	limits := map[string]int{"namespace " + c.Namespace: l.PerNamespace, "owner " + c.Owner: l.PerOwner}
	for _, r := range c.Rules {
		limits["rule "+r] = l.PerRule
	}
	return limits
}

func (b *Budget) spent(now time.Time, window time.Duration) int {
	n := 0
	for _, g := range b.Grants {
		if now.Sub(g.Granted) <= window {
			n++
		}
	}
	return n
}

func (g Grant) expired(now time.Time) bool { return !g.Used && now.Sub(g.Granted) > grantLife }

func (b *Budget) grant(id string, now time.Time) (Grant, bool) {
	for _, g := range b.Grants {
		if g.ID == id && !g.Used && !g.expired(now) {
			return g, true
		}
	}
	return Grant{}, false
}

// Ask returns the grant of a claim; or pending, or why its round was over budget.
func (c *Control) Ask(ctx context.Context, cluster, id string) (g Grant, expires time.Time, over string, err error) {
	b, err := ledger.Read[Budget](ctx, c.records, budgetKey(cluster))
	if err != nil {
		return g, expires, "", err
	}
	g, ok := b.grant(id, c.now())
	if ok {
		expires = g.Granted.Add(grantLife)
	}
	return g, expires, b.Over[id], nil
}

// Spend marks a grant as used, before the act.
func (c *Control) Spend(ctx context.Context, cluster, id string) error {
	_, err := c.change(ctx, cluster, func(b *Budget) (bool, error) {
		for i := range b.Grants {
			if g := &b.Grants[i]; g.ID == id && !g.Used && !g.expired(c.now()) {
				g.Used = true
				return true, nil
			}
		}
		return false, fmt.Errorf("budget: no grant for %s", id)
	})
	return err
}

// GiveBack withdraws a claim, a refusal, or a grant that was not used for an act.
func (c *Control) GiveBack(ctx context.Context, cluster, id string) error {
	_, err := c.change(ctx, cluster, func(b *Budget) (bool, error) {
		before := len(b.Claims) + len(b.Grants) + len(b.Over)
		b.Claims = slices.DeleteFunc(b.Claims, func(x Claim) bool { return x.ID == id })
		b.Grants = slices.DeleteFunc(b.Grants, func(x Grant) bool { return x.ID == id && !x.Used })
		delete(b.Over, id)
		return before != len(b.Claims)+len(b.Grants)+len(b.Over), nil
	})
	return err
}

// Budget returns the document, for the report.
func (c *Control) Budget(ctx context.Context, cluster string) (Budget, error) {
	return ledger.Read[Budget](ctx, c.records, budgetKey(cluster))
}

// Spent counts the grants of the last hour and day.
func (b Budget) Spent(now time.Time) (hour, day int) {
	return b.spent(now, time.Hour), b.spent(now, 24*time.Hour)
}
