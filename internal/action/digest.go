package action

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/notify"
	"github.com/k8guard/k8guard/internal/outbox"
	"github.com/k8guard/k8guard/internal/policy"
)

// maxNamed is how many clusters a digest names in its subject.
const maxNamed = 3

// line is what an outbox holds of a case, with its docket as it is now.
type line struct {
	entry outbox.Entry
	d     docket.Docket
	c     docket.Case
}

// digest builds what an outbox says today. Entries that are no longer due, or whose owner
// changed, come back as dropped. A case that no mail names does not count as warned of; what
// finds no room in this notice waits in the outbox for the next.
func (e *Engine) digest(ctx context.Context, b outbox.Box, controls map[string]policy.Controls) (notify.Digest, []outbox.Entry, error) {
	now := e.Now().UTC()
	out := notify.Digest{At: now, URL: e.Config.Report.URL, RestUntil: b.RestUntil}
	out.Mentions, out.Tags = e.reach(b.Channel, b.Owner)
	lines, dropped, err := e.lines(ctx, b, controls, now)
	if err != nil {
		return out, nil, err
	}
	limit := e.summarise(&out, b, lines, now)
	named, told := 0, map[string]bool{}
	for _, l := range lines {
		if len(out.Items) == notify.MaxItems || l.entry.First && named == limit {
			break
		}
		kin := l.c.ID
		if l.d.ThrowAway(now) {
			kin = l.d.Family + l.c.Signature()
		}
		if told[kin] {
			continue // it, or its like, is in already: the other news of it waits for the next notice
		}
		told[kin] = true
		if l.entry.First {
			named++
		}
		item := e.item(l.d, l.c, l.entry.Purpose, now)
		item.Try = l.entry.Try
		if l.entry.Purpose == docket.NeedsHuman {
			all := controls[l.d.Cluster]
			item.Human = policy.Human(e.input(l.d, l.c, all), e.wordOn(l.d, l.c, all))
		}
		out.Items = append(out.Items, item)
	}
	nameClusters(&out)
	return out, dropped, nil
}

// nameClusters says of which clusters a digest speaks, and of each item where there are several.
func nameClusters(d *notify.Digest) {
	names := map[string]bool{}
	for _, item := range d.Items {
		names[item.Cluster] = true
	}
	if len(names) > maxNamed {
		d.Cluster = fmt.Sprintf("%d clusters", len(names))
		return
	}
	d.Cluster = strings.Join(slices.Sorted(maps.Keys(names)), ", ")
	if len(names) == 1 {
		for i := range d.Items {
			d.Items[i].Cluster = ""
		}
	}
}

// lines reads what an outbox may say now: first warnings come last, the worst of them first.
// What is of a cluster that this action does not answer for is left for whoever does.
func (e *Engine) lines(ctx context.Context, b outbox.Box, controls map[string]policy.Controls, now time.Time) (lines []line, dropped []outbox.Entry, err error) {
	for _, entry := range b.Ready(now) {
		d, err := e.Ledger.Load(ctx, entry.Docket)
		if err == nil {
			d, _, err = e.shared(ctx, d)
		}
		if err != nil {
			return nil, nil, err
		}
		if d.Version > 0 && !e.answers(d.Cluster, d.Key.Cluster) {
			continue
		}
		if controls[d.Cluster].Doubt != "" {
			continue // it waits for a person, and those of other clusters go without it
		}
		found := d.Find(entry.Case)
		if found == nil {
			dropped = append(dropped, entry)
			continue
		}
		// What another channel carries of this telling does not make it less due on ours.
		c, carried := found.Without(entry.Purpose, entry.Try)
		if !e.wanted(d, c, carried, entry.Purpose, b.Owner, controls) {
			if carried && e.held(d, *found, entry, b.Owner, controls) {
				continue // the case takes it for told: dropped, it would never be told here
			}
			dropped = append(dropped, entry)
			continue
		}
		lines = append(lines, line{entry, d, c})
	}
	slices.SortStableFunc(lines, func(x, y line) int {
		if x.entry.First != y.entry.First {
			return map[bool]int{true: 1, false: -1}[x.entry.First]
		}
		if !x.entry.First {
			return 0
		}
		return cmp.Compare(docket.Rank(y.c), docket.Rank(x.c))
	})
	return lines, dropped, nil
}

// before says what a root takes the place of.
func before(b *docket.Before) string {
	if b == nil {
		return ""
	}
	return fmt.Sprintf("the %d. of its kind within 30 days; %s was there before, until %s", b.Times, b.Root, b.Gone.UTC().Format(time.RFC3339))
}

func (e *Engine) item(d docket.Docket, c docket.Case, purpose docket.Purpose, now time.Time) notify.Item {
	meta := e.rules[c.Rule]
	confirmed, _ := c.Count(e.ownerOf(d, c.Rule).Key())
	if !e.acts(d, c) {
		confirmed = c.Heard(e.ownerOf(d, c.Rule).Key())
	}
	item := notify.Item{Case: c.ID, Cluster: d.Cluster, Docket: d.Key.String(), Purpose: string(purpose), N: 1, Rule: c.Rule,
		Title: meta.Title, Severity: c.Severity, Why: meta.Why, Remedy: meta.Remedy, Root: d.Root, Source: c.Source,
		Before: before(d.Before), Message: c.Message, Path: c.Path, Evidence: c.Evidence}
	if e.Config.Report.URL != "" {
		item.URL = strings.TrimSuffix(e.Config.Report.URL, "/") + "/cases/" + c.ID
	}
	switch purpose {
	case docket.Warning:
		pol := e.policyOf(d, c)
		item.N = min(confirmed+1, pol.Ladder.Warnings)
		if e.acts(d, c) {
			item.Needed, item.Lost = pol.Ladder.Warnings, d.Lost
		}
		item.NextStep, item.NextAt = e.next(d, c, pol, item.N, now)
		item.Repeats = c.Again(docket.NoticeRef{Purpose: purpose, N: item.N, Owner: e.ownerOf(d, c.Rule).Key(), ActAt: item.ActAt()})
	case docket.Enforced:
		item.Lost = d.Lost
		item.Done = done(d.Enforcement)
		item.Undo = "k8guard undo " + c.ID + ` --reason "why"`
	case docket.Undone:
		item.Done = done(d.Enforcement)
		item.Back = back(d.Enforcement.Undo)
		item.NextStep = "no further act on it, but the violation stands: fix it"
	}
	return item
}

// next says in words what follows this warning, and when.
func (e *Engine) next(d docket.Docket, c docket.Case, pol config.Policy, n int, now time.Time) (string, time.Time) {
	if n < pol.Ladder.Warnings {
		return fmt.Sprintf("warning %d of %d", n+1, pol.Ladder.Warnings), now.Add(pol.Ladder.Wait)
	}
	if !e.acts(d, c) {
		return "no further step: K8Guard only tells", time.Time{}
	}
	at := now.Add(policy.LastWait(pol.Ladder))
	if age := c.OpenedAt.Add(e.Config.Enforce.MinimumAge); age.After(at) {
		at = age
	}
	return words(policy.Action(d.Root.Kind)), at
}

// acts reports whether the ladder of a case ends in a hard action.
func (e *Engine) acts(d docket.Docket, c docket.Case) bool {
	return policy.Acts(e.input(d, c, policy.Controls{Mode: e.site(d.Cluster).mode}))
}

// Needed returns how many warnings precede the act on a case, 0 when none follows.
func (e *Engine) Needed(row ledger.CaseRow) int {
	d := docket.Docket{Key: row.Docket, Cluster: row.Cluster, Root: row.Root, Owner: row.Owner} // the row's owner is the case's
	if !e.acts(d, row.Case) {
		return 0
	}
	return e.policyOf(d, row.Case).Ladder.Warnings
}

// done says what was done, from which state, and when.
func done(e *docket.Enforcement) string {
	if e == nil || e.DoneAt.IsZero() {
		return ""
	}
	at := e.DoneAt.UTC().Format("Mon, 02 Jan 2006 15:04:05 UTC")
	if e.Prior.Replicas != nil {
		return fmt.Sprintf("scaled to zero, from %d, on %s", *e.Prior.Replicas, at)
	}
	if e.Action == docket.Suspend {
		return "suspended on " + at
	}
	return "deleted, its manifest kept, on " + at
}

// back says how an act was taken back, when and by whom.
func back(u *docket.Undo) string {
	s := fmt.Sprintf("%s, on %s by %s", cmp.Or(u.Note, "restored"), u.DoneAt.UTC().Format("Mon, 02 Jan 2006 15:04:05 UTC"), u.By)
	if u.Reason != "" {
		s += ": " + u.Reason
	}
	return s
}

func words(action string) string {
	switch action {
	case docket.DeleteIngress:
		return "the ingress is deleted (its manifest is kept; one command restores it)"
	case docket.Suspend:
		return "it is suspended (one command resumes it)"
	}
	return "it is scaled to zero (one command restores it)"
}

func keyFrom(s string) docket.Key {
	cluster, root, _ := strings.Cut(s, "/")
	return docket.Key{Cluster: cluster, Root: root}
}
