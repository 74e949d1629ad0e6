package faults

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/test/judge"
)

// stormSize is how many violations at once; K8GUARD_STORM sets it.
func stormSize() int {
	if n, err := strconv.Atoi(os.Getenv("K8GUARD_STORM")); err == nil && n >= 10 {
		return n
	}
	return 300
}

// stormOwners share them, not more each than one digest names.
func stormOwners() int { return max(10, stormSize()/summaryAbove) }

func stormNamespace(i int) string { return fmt.Sprintf("storm-%d", i) }

// storm: as many violations at once as K8GUARD_STORM says. Each owner's first warnings are one
// digest, and a round over the budget does nothing: not the first five, none.
func storm(t *testing.T, p plane) {
	n, owners := stormSize(), stormOwners()
	limit := time.Minute + time.Duration(n)*60*time.Millisecond
	h := newHouse(t, p, "storm", func(c *config.Config) { calm(c, n) })
	h.brew(owners, n/owners)
	from := time.Now()
	h.start()
	ready := time.Since(from)
	told := map[int]time.Duration{}
	for w := 1; w <= warnings; w++ {
		h.until(limit, fmt.Sprintf("all have %d warnings confirmed", w), func() bool { return h.least() >= w })
		told[w] = time.Since(from)
	}
	said := h.log(limit, "over-budget-none")
	h.until(limit, "all are answered", func() bool { return h.answered() == n })
	drained := time.Since(from)
	h.ns = "storm-" // all of them
	acts := len(h.acts())
	t.Logf("%d violations of %d owners: ready in %s, first warnings told in %s, all in %s, all answered in %s; %d mails; %d acts; peak of memory %d MB; %s of processor time",
		n, owners, ready, told[1], told[warnings], drained, len(h.Mail.Messages()), acts, h.peak(), h.processor())
	// A round of a few late ones may be within the budget; never more than it allows.
	if most := h.Config.Enforce.Budget.PerHour; acts > most {
		t.Errorf("%d acts, and the budget allows %d", acts, most)
	}
	h.digests(n / owners)
	if n > 300 { // all of them wait for a person now
		before := h.processor()
		time.Sleep(time.Minute)
		t.Logf("a minute of waiting takes %s of processor time", h.processor()-before)
	}
	if n == 300 {
		_, text, _ := strings.Cut(said, "name=")
		h.golden("storm", "log: "+text)
	}
}

// brew makes the owners' namespaces and the violations, some hundreds at a time.
func (h *house) brew(owners, each int) {
	h.t.Helper()
	spaces, text := "", ""
	for i := range owners {
		spaces += fmt.Sprintf("---\napiVersion: v1\nkind: Namespace\nmetadata: {name: %[1]s, annotations: {team/email-ids: %[1]s@stage.example}}\n", stormNamespace(i))
	}
	h.apply(spaces)
	for i := range owners {
		for j := range each {
			text += openIngress(stormNamespace(i), fmt.Sprintf("i%d", j))
		}
		if i%10 == 9 || i == owners-1 {
			h.apply(text)
			text = ""
		}
	}
}

// calm is the budget as shipped but for its rounds, and digests that wait for the last case.
func calm(c *config.Config, n int) {
	c.Policies[0].Match.Namespaces = nil
	for i := range stormOwners() {
		c.Policies[0].Match.Namespaces = append(c.Policies[0].Match.Namespaces, stormNamespace(i))
	}
	spread := 15*time.Second + time.Duration(n)*10*time.Millisecond
	c.Notify.Gather, c.Policies[0].Ladder.Wait, c.Discover.Resync = spread, spread, spread
	c.Enforce.Budget = config.Default().Enforce.Budget
	c.Enforce.Budget.Round = 3*time.Second + spread/4
}

// least is the number of confirmed warnings of the case that has the fewest.
func (h *house) least() int {
	dump, err := judge.ReadLedger(h.t.Context(), h.LedgerFile())
	if err != nil {
		return 0
	}
	least := warnings
	for _, d := range dump.Dockets {
		for _, c := range d.Cases {
			n := 0
			for _, ref := range c.Notices {
				if ref.Purpose == "warning" && dump.Notices[ref.Key].State == "sent" {
					n++
				}
			}
			if strings.HasPrefix(d.Root.Namespace, "storm-") && c.Rule == "INGRESS_HOST_INVALID" {
				least = min(least, n)
			}
		}
	}
	return least
}

// answered counts the roots that the gate has refused or acted on.
func (h *house) answered() (n int) {
	dump, err := judge.ReadLedger(h.t.Context(), h.LedgerFile())
	if err != nil {
		return 0
	}
	for _, d := range dump.Dockets {
		if strings.HasPrefix(d.Root.Namespace, "storm-") && (d.Refusal != nil || d.Enforcement != nil) {
			n++
		}
	}
	return n
}

// summaryAbove is how many new cases of an owner one digest names.
const summaryAbove = 50

// digests wants the first notice of each owner to hold all of its cases.
func (h *house) digests(each int) {
	h.t.Helper()
	dump, err := judge.ReadLedger(h.t.Context(), h.LedgerFile())
	if err != nil {
		h.t.Fatal(err)
	}
	for i := range stormOwners() {
		key := "notice/email/" + stormNamespace(i) + "@stage.example/1"
		if n := len(dump.Notices[key].Digest.Items); n != each {
			h.t.Errorf("%s holds %d cases, want %d", key, n, each)
		}
	}
}
