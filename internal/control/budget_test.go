package control_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/control"
)

// ample is a budget that refuses nothing.
func ample() config.Budget {
	return config.Budget{Round: time.Minute, PerHour: 1000, PerDay: 1000, PerNamespace: 1000, PerOwner: 1000, PerRule: 1000, Percent: 100}
}

const manyRoots = 10_000

// round files claims, waits for the round's end and closes it. It returns who got a grant.
func round(t testing.TB, c *control.Control, clock *clock, limits config.Budget, judged int, claims ...control.Claim) (granted []string) {
	t.Helper()
	for _, claim := range claims {
		file(t, c, "k", claim)
	}
	clock.at = clock.at.Add(limits.Round)
	must(t, c.CloseRound(t.Context(), "k", limits, judged, nil))
	for _, claim := range claims {
		g, expires, over, err := c.Ask(t.Context(), "k", claim.ID)
		must(t, err)
		if (g.Grant != "") == (over != "") && judged > 0 {
			t.Errorf("%s: grant %q and over %q", claim.ID, g.Grant, over)
		}
		if g.Grant != "" {
			granted = append(granted, claim.ID)
			if !expires.After(clock.at) {
				t.Errorf("%s: the grant is born expired", claim.ID)
			}
		}
	}
	return granted
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func claims(n int, change func(i int, c *control.Claim)) []control.Claim {
	var all []control.Claim
	for i := range n {
		c := control.Claim{ID: fmt.Sprint("docket-", i), Namespace: fmt.Sprint("ns-", i), Owner: fmt.Sprint("owner-", i), Rules: []string{fmt.Sprint("RULE-", i)}}
		change(i, &c)
		all = append(all, c)
	}
	return all
}

func TestBudgetIsAllOrNone(t *testing.T) {
	for _, test := range []struct {
		name   string
		limit  func(*config.Budget)
		change func(i int, c *control.Claim)
		judged int
		within int // so many claims are granted; one more and none is
		says   string
	}{
		{"hour", func(b *config.Budget) { b.PerHour = 3 }, nil, manyRoots, 3, "in an hour"},
		{"day", func(b *config.Budget) { b.PerDay = 3 }, nil, manyRoots, 3, "in a day"},
		{"namespace", func(b *config.Budget) { b.PerNamespace = 2 }, func(_ int, c *control.Claim) { c.Namespace = "shop" }, manyRoots, 2, "namespace shop"},
		{"owner", func(b *config.Budget) { b.PerOwner = 2 }, func(_ int, c *control.Claim) { c.Owner = "ada" }, manyRoots, 2, "owner ada"},
		{"rule", func(b *config.Budget) { b.PerRule = 2 }, func(_ int, c *control.Claim) { c.Rules = []string{"OTHER", "IMAGE_REPO"} }, manyRoots, 2, "rule "},
		{"one act that answers many cases of one rule", func(b *config.Budget) { b.PerRule = 2 },
			func(_ int, c *control.Claim) { c.Rules = []string{"IMAGE_REPO", "IMAGE_REPO", "IMAGE_REPO"} }, manyRoots, 2, "rule IMAGE_REPO"},
		{"percent, rounded down", func(b *config.Budget) { b.Percent, b.Floor = 1, 1 }, nil, 399, 3, "1 % of 399 roots"},
		{"percent below the floor", func(b *config.Budget) { b.Percent, b.Floor = 1, 2 }, nil, 99, 2, "floor 2"},
		{"the floor never passes perHour", func(b *config.Budget) { b.PerHour, b.Percent, b.Floor = 1, 1, 5 }, nil, 99, 1, "in an hour"},
		{"percent without floor", func(b *config.Budget) { b.Percent, b.Floor = 1, 0 }, nil, 99, 0, "1 % of 99"},
		{"nothing is allowed", func(b *config.Budget) { b.PerHour = 0 }, nil, manyRoots, 0, "in an hour"},
	} {
		t.Run(test.name, func(t *testing.T) {
			limits := ample()
			test.limit(&limits)
			if test.change == nil {
				test.change = func(int, *control.Claim) {}
			}
			for extra := range 2 {
				clock := newClock()
				c := control.New(open(t, t.TempDir()), clock.now)
				n := test.within + extra
				want := test.within * (1 - extra)
				if got := round(t, c, clock, limits, test.judged, claims(n, test.change)...); len(got) != want {
					t.Errorf("%d claims: %d granted, want %d", n, len(got), want)
				}
				if b, err := c.Budget(t.Context(), "k"); extra == 1 && (err != nil || !strings.Contains(b.Last, test.says) || len(b.Over) != n || len(b.Grants) != 0) {
					t.Errorf("%q, %v: want every claim refused with %q", b.Last, err, test.says)
				}
			}
		})
	}
}

func TestWhatWasSpentCountsForItsWholeWindow(t *testing.T) {
	for _, test := range []struct {
		name  string
		limit func(*config.Budget)
		after time.Duration // since the act that used the budget up
		want  int
	}{
		{"hour, not over", func(b *config.Budget) { b.PerHour = 1 }, time.Hour, 0},
		{"hour, over", func(b *config.Budget) { b.PerHour = 1 }, time.Hour + 1, 1},
		{"day, not over", func(b *config.Budget) { b.PerDay = 1 }, 24 * time.Hour, 0},
		{"day, over", func(b *config.Budget) { b.PerDay = 1 }, 24*time.Hour + 1, 1},
		{"namespace, not over", func(b *config.Budget) { b.PerNamespace = 1 }, 24 * time.Hour, 0},
		{"namespace, over", func(b *config.Budget) { b.PerNamespace = 1 }, 24*time.Hour + 1, 1},
	} {
		clock, limits := newClock(), ample()
		test.limit(&limits)
		c := control.New(open(t, t.TempDir()), clock.now)
		round(t, c, clock, limits, manyRoots, control.Claim{ID: "first", Namespace: "shop"})
		must(t, c.Spend(t.Context(), "k", "first"))
		clock.at = clock.at.Add(test.after - limits.Round)
		if got := round(t, c, clock, limits, manyRoots, control.Claim{ID: "next", Namespace: "shop"}); len(got) != test.want {
			t.Errorf("%s: %d granted, want %d", test.name, len(got), test.want)
		}
	}
}

func TestNoInventoryNoGrant(t *testing.T) {
	clock := newClock()
	c := control.New(open(t, t.TempDir()), clock.now)
	if got := round(t, c, clock, ample(), 0, claims(1, func(int, *control.Claim) {})...); len(got) != 0 {
		t.Errorf("granted %v before any inventory", got)
	}
	if got := round(t, c, clock, ample(), 10, claims(1, func(int, *control.Claim) {})...); len(got) != 1 {
		t.Error("the claim did not wait for the inventory")
	}
}

func TestRoundStaysOpenForItsTime(t *testing.T) {
	clock := newClock()
	c := control.New(open(t, t.TempDir()), clock.now)
	file(t, c, "k", control.Claim{ID: "a"})
	clock.at = clock.at.Add(time.Minute - 1)
	file(t, c, "k", control.Claim{ID: "b"})
	must(t, c.CloseRound(t.Context(), "k", ample(), 100, nil))
	if b, err := c.Budget(t.Context(), "k"); err != nil || b.Rounds != 0 || len(b.Claims) != 2 {
		t.Errorf("closed early: %+v, %v", b, err)
	}
}

func TestGrantExpiresIsSpentOnceAndGivenBack(t *testing.T) {
	clock := newClock()
	c := control.New(open(t, t.TempDir()), clock.now)
	one := claims(3, func(int, *control.Claim) {})
	if got := round(t, c, clock, ample(), 100, one...); len(got) != 3 {
		t.Fatalf("granted %v", got)
	}
	must(t, c.Spend(t.Context(), "k", "docket-0"))
	if err := c.Spend(t.Context(), "k", "docket-0"); err == nil {
		t.Error("a grant was spent twice")
	}
	must(t, c.GiveBack(t.Context(), "k", "docket-0"))
	must(t, c.GiveBack(t.Context(), "k", "docket-1"))
	if err := c.Spend(t.Context(), "k", "docket-1"); err == nil {
		t.Error("a grant that was given back was spent")
	}
	b, err := c.Budget(t.Context(), "k")
	must(t, err)
	if hour, day := b.Spent(clock.at); hour != 2 || day != 2 {
		t.Errorf("spent %d and %d; want the used one and the one that is open", hour, day)
	}
	clock.at = clock.at.Add(5*time.Minute + 1)
	if err := c.Spend(t.Context(), "k", "docket-2"); err == nil {
		t.Error("an expired grant was spent")
	}
	if g, _, _, err := c.Ask(t.Context(), "k", "docket-2"); err != nil || g.Grant != "" {
		t.Errorf("an expired grant is shown: %+v, %v", g, err)
	}
}

func TestFilingAtOnceLosesNothing(t *testing.T) {
	clock := newClock()
	c := control.New(open(t, t.TempDir()), clock.now)
	const contenders = 64
	var group sync.WaitGroup
	for i := range contenders {
		group.Go(func() {
			for range 2 { // the second time changes nothing
				if _, err := c.File(t.Context(), "k", control.Claim{ID: fmt.Sprint("docket-", i)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if b, err := c.Budget(t.Context(), "k"); err != nil || len(b.Claims) != contenders {
		t.Fatalf("%d claims, %v; want %d", len(b.Claims), err, contenders)
	}
	clock.at = clock.at.Add(time.Minute)
	for range 4 { // several holders close the same round
		group.Go(func() { must(t, c.CloseRound(t.Context(), "k", ample(), manyRoots, nil)) })
	}
	group.Wait()
	if b, err := c.Budget(t.Context(), "k"); err != nil || len(b.Grants) != contenders || b.Rounds != 1 {
		t.Fatalf("%d grants in %d rounds, %v", len(b.Grants), b.Rounds, err)
	}
	var spent sync.Map
	for i := range contenders {
		for range 2 {
			group.Go(func() {
				if c.Spend(t.Context(), "k", fmt.Sprint("docket-", i)) == nil {
					if _, twice := spent.LoadOrStore(i, true); twice {
						t.Errorf("docket-%d was spent twice", i)
					}
				}
			})
		}
	}
	group.Wait()
}

// act is one use of the budget.
type act struct {
	at    time.Time
	claim control.Claim
}

func TestBudgetHoldsInEveryWindow(t *testing.T) {
	l := open(t, t.TempDir())
	worlds := 0
	rapid.Check(t, func(rt *rapid.T) {
		worlds++
		cluster, clock := fmt.Sprint("cluster-", worlds), newClock()
		c := control.New(l, clock.now)
		small := func(name string) int { return rapid.IntRange(0, 4).Draw(rt, name) }
		limits := config.Budget{Round: time.Minute, PerHour: small("hour"), PerDay: small("day") + 2, PerNamespace: small("namespace"),
			PerOwner: small("owner"), PerRule: small("rule"), Percent: float64(small("percent")), Floor: small("floor")}
		judged := rapid.IntRange(0, 300).Draw(rt, "judged")
		var acts []act
		n := 0
		rt.Repeat(map[string]func(*rapid.T){
			"round": func(rt *rapid.T) {
				var filed []control.Claim
				for range rapid.IntRange(1, 3).Draw(rt, "claims") {
					n++
					filed = append(filed, control.Claim{ID: fmt.Sprint("docket-", n), Namespace: fmt.Sprint("ns-", small("ns")%2),
						Owner: fmt.Sprint("owner-", small("who")%2), Rules: []string{"A", "B"}[:rapid.IntRange(1, 2).Draw(rt, "rules")]})
					file(t, c, cluster, filed[len(filed)-1])
				}
				clock.at = clock.at.Add(limits.Round)
				must(t, c.CloseRound(t.Context(), cluster, limits, judged, nil))
				granted := 0
				for _, claim := range filed {
					g, _, _, err := c.Ask(t.Context(), cluster, claim.ID)
					must(t, err)
					if g.Grant == "" {
						continue
					}
					granted++
					if rapid.Bool().Draw(rt, "use") {
						must(t, c.Spend(t.Context(), cluster, claim.ID))
						acts = append(acts, act{clock.at, claim})
					}
				}
				if granted != 0 && granted != len(filed) {
					rt.Fatalf("%d of %d claims of one round were granted", granted, len(filed))
				}
				for _, claim := range filed {
					must(t, c.GiveBack(t.Context(), cluster, claim.ID))
				}
			},
			"wait": func(rt *rapid.T) {
				clock.at = clock.at.Add(time.Duration(rapid.IntRange(1, 300).Draw(rt, "minutes")) * time.Minute)
			},
			"": func(rt *rapid.T) { within(rt, acts, limits, judged) },
		})
	})
}

// within checks every window that begins with an act.
func within(rt *rapid.T, acts []act, l config.Budget, judged int) {
	perHour := min(l.PerHour, max(l.Floor, judged*int(l.Percent)/100))
	for i, first := range acts {
		hour, counts := 0, map[string]int{}
		for _, a := range acts[i:] {
			since := a.at.Sub(first.at)
			if since < time.Hour {
				hour++
			}
			if since >= 24*time.Hour {
				continue
			}
			counts["day"]++
			counts[a.claim.Namespace]++
			counts[a.claim.Owner]++
			for _, r := range a.claim.Rules {
				counts[r]++
			}
		}
		if hour > perHour || counts["day"] > l.PerDay || max(counts["ns-0"], counts["ns-1"]) > l.PerNamespace ||
			max(counts["owner-0"], counts["owner-1"]) > l.PerOwner || max(counts["A"], counts["B"]) > l.PerRule {
			rt.Fatalf("%d acts in the hour, %d allowed; in the day %v with %+v", hour, perHour, counts, l)
		}
	}
}

// A round has room for a thousand claims. Who finds it full is refused with it, and does not
// become the small round that is granted after it.
func TestAFullRoundRefusesTheOverflowToo(t *testing.T) {
	clock := newClock()
	c := control.New(open(t, t.TempDir()), clock.now)
	limits := ample()
	limits.PerHour, limits.PerDay = 5, 2000
	many := claims(1003, func(int, *control.Claim) {})
	if granted := round(t, c, clock, limits, 100*manyRoots, many...); len(granted) != 0 {
		t.Fatalf("granted %v", granted)
	}
	file(t, c, "k", many[1000:]...)
	clock.at = clock.at.Add(limits.Round)
	must(t, c.CloseRound(t.Context(), "k", limits, 100*manyRoots, nil))
	for _, claim := range many {
		if g, _, over, err := c.Ask(t.Context(), "k", claim.ID); err != nil || g.Grant != "" || over == "" {
			t.Fatalf("%s: grant %q, over %q, %v", claim.ID, g.Grant, over, err)
		}
	}
}

// What is filed at once, too much for a round, is refused as a whole, like what is filed one by one.
func TestManyClaimsAtOnceAreOneRound(t *testing.T) {
	clock := newClock()
	c := control.New(open(t, t.TempDir()), clock.now)
	many := claims(1003, func(int, *control.Claim) {})
	file(t, c, "k", many...)
	file(t, c, "k", many...)
	b, err := c.Budget(t.Context(), "k")
	must(t, err)
	if len(b.Claims) != 1000 || b.Overflow != 3 || len(b.Over) != 3 {
		t.Errorf("%d claims, %d beyond, %d refused; want each once", len(b.Claims), b.Overflow, len(b.Over))
	}
	limits := ample()
	clock.at = clock.at.Add(limits.Round)
	must(t, c.CloseRound(t.Context(), "k", limits, 1_000_000, nil))
	for _, claim := range many {
		if g, _, over, err := c.Ask(t.Context(), "k", claim.ID); err != nil || over == "" && g.Grant == "" {
			t.Fatalf("%s: grant %q, over %q, %v", claim.ID, g.Grant, over, err)
		}
	}
}

func file(t testing.TB, c *control.Control, cluster string, claims ...control.Claim) {
	t.Helper()
	_, err := c.File(t.Context(), cluster, claims...)
	must(t, err)
}

// What found a round full, and is asked for by nobody any more, refuses no later round.
func TestARoundOfOrphansLeavesNothing(t *testing.T) {
	clock := newClock()
	c := control.New(open(t, t.TempDir()), clock.now)
	limits := ample()
	limits.PerHour = 5
	for i := range 1200 {
		file(t, c, "k", control.Claim{ID: fmt.Sprint("gone-", i), Namespace: "shop", Rules: []string{"R"}})
	}
	if b, err := c.Budget(t.Context(), "k"); err != nil || len(b.Over) == 0 {
		t.Fatalf("nobody was refused: %v", err)
	}
	clock.at = clock.at.Add(limits.Round)
	must(t, c.CloseRound(t.Context(), "k", limits, manyRoots, func(context.Context, string) (bool, error) { return false, nil }))
	b, err := c.Budget(t.Context(), "k")
	if must(t, err); len(b.Claims) != 0 || b.Overflow != 0 {
		t.Errorf("%d claims and %d more are left", len(b.Claims), b.Overflow)
	}
	if len(b.Over) != 200 {
		t.Errorf("%d refusals that nobody has heard, want 200", len(b.Over))
	}
	if got := round(t, c, clock, limits, manyRoots, control.Claim{ID: "honest", Namespace: "shop", Rules: []string{"R"}}); len(got) != 1 {
		t.Errorf("granted: %v, want the honest one", got)
	}
}
