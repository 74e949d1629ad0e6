package action

import (
	"time"

	"github.com/k8guard/k8guard/internal/notify"
	"github.com/k8guard/k8guard/internal/outbox"
)

const (
	// worst is how many cases a summary names.
	worst = 20
	// restGaps is how many gaps between two digests pass before an owner hears of further first
	// warnings, when there were more than one mail may name.
	restGaps = 24
)

// summarise turns a digest into a summary when more cases are new to its owner than one mail
// may name, as on the first start on an old cluster: it counts them all, and names the worst.
// It returns how many first warnings are to be named. The others are told of later, by and by.
func (e *Engine) summarise(out *notify.Digest, b outbox.Box, lines []line, now time.Time) int {
	first := 0
	for _, l := range lines {
		if l.entry.First {
			first++
		}
	}
	if first == 0 {
		return 0 // while the outbox rests, none is among the lines
	}
	limit := notify.MaxItems
	out.RestUntil = time.Time{}
	if first > limit && b.RestUntil.IsZero() {
		limit = worst
		out.Summary = count(lines)
		out.More = len(b.Entries) >= outbox.MaxFirst
	}
	if first > min(limit, max(0, notify.MaxItems-(len(lines)-first))) {
		out.RestUntil = now.Add(restGaps * e.Config.Notify.Gap)
	}
	return limit
}

// count says how many of the new cases each rule found, in the order in which they come.
func count(lines []line) []notify.Count {
	var all []notify.Count
	at := map[string]int{}
	for _, l := range lines {
		if !l.entry.First {
			continue
		}
		i, ok := at[l.c.Rule]
		if !ok {
			i, at[l.c.Rule] = len(all), len(all)
			all = append(all, notify.Count{Rule: l.c.Rule})
		}
		all[i].Cases++
	}
	return all
}
