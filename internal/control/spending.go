package control

import (
	"time"

	"github.com/k8guard/k8guard/internal/config"
)

// HourLimit is how many acts an hour allows: the number or the share of the judged roots,
// whichever is lower.
func HourLimit(l config.Budget, judged int) int {
	return min(l.PerHour, max(l.Floor, int(float64(judged)*l.Percent/100)))
}

// Spending counts the grants of the last day by whom they hit.
type Spending struct{ Namespaces, Owners, Rules map[string]int }

// SpentBy counts the grants of the last day.
func (b Budget) SpentBy(now time.Time) Spending {
	s := Spending{map[string]int{}, map[string]int{}, map[string]int{}}
	for _, g := range b.Grants {
		if now.Sub(g.Granted) > 24*time.Hour || g.expired(now) {
			continue
		}
		s.Namespaces[g.Namespace]++
		s.Owners[g.Owner]++
		for _, r := range g.Rules {
			s.Rules[r]++
		}
	}
	return s
}
