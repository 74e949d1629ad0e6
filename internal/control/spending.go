package control

import (
	"fmt"
	"strings"
	"time"

	"github.com/k8guard/k8guard/internal/config"
)

// HourLimit is how many acts an hour allows: the number or the share of the judged roots,
// whichever is lower.
func HourLimit(l config.Budget, judged int) int {
	return min(l.PerHour, share(l, judged))
}

func share(l config.Budget, judged int) int {
	return max(l.Floor, int(float64(judged)*l.Percent/100))
}

// hourSettings are the settings that keep n acts out of an hour. Of few roots a share is
// little, whatever its percent: the floor is named.
func hourSettings(l config.Budget, judged, n int) (names []string) {
	if l.PerHour < n {
		names = append(names, "perHour")
	}
	if share(l, judged) < n {
		names = append(names, "floor")
	}
	return names
}

// daySettings are the settings of the limits by whom acts hit.
func daySettings() map[string]string {
	return map[string]string{"namespace": "perNamespacePerDay", "owner": "perOwnerPerDay", "rule": "perRulePerDay"}
}

// takes names what would have allowed n acts.
func takes(n int, settings ...string) string {
	return fmt.Sprintf("it takes enforce.budget.%s of %d", strings.Join(settings, " and enforce.budget."), n)
}

// NameOf names a budget: a refusal that was given by another one does not hold any more.
func NameOf(l config.Budget) string { return fmt.Sprintf("%+v", l) }

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
