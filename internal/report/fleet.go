package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// maxFleet bounds the clusters that the overview lists.
const maxFleet = 50

// rank puts first what a person should see first.
func (c Cluster) rank() int {
	switch {
	case c.Breaker.Open:
		return 0
	case c.Stale != "":
		return 1
	}
	return 2
}

// shownFirst are as many clusters as a page shows: those with trouble first, then by name.
func shownFirst(all []Cluster) []Cluster {
	all = slices.SortedStableFunc(slices.Values(all), func(a, b Cluster) int {
		return cmp.Or(cmp.Compare(a.rank(), b.rank()), cmp.Compare(a.Name, b.Name))
	})
	return all[:min(len(all), maxFleet)]
}

// staleClusters names the clusters that are not heard or not read as they should be.
func staleClusters(all []Cluster) string {
	var names []string
	for _, c := range all {
		if c.Stale != "" {
			names = append(names, c.Name)
		}
	}
	const most = 5
	more := ""
	if n := len(names) - most; n > 0 {
		names, more = names[:most], fmt.Sprintf(" and %d more", n)
	}
	return clean("What is known of " + strings.Join(names, ", ") + more + " is old.")
}
