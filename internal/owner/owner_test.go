package owner_test

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"testing"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/owner"
)

const key, own = "team/email-ids", "team/contact"

func TestTheChain(t *testing.T) {
	from := func(from string, platform bool, emails ...string) v1.Owner {
		return v1.Owner{Emails: emails, Platform: platform, From: from}
	}
	namespace := func(emails ...string) v1.Owner { return from("Namespace shop, annotation "+key, true, emails...) }
	fallback := from("the configured fallback (owners.fallback)", false, "platform@example.com")
	team := []config.Team{{Name: "pay", Emails: []string{"Pay@example.com"}, Namespaces: []string{"shop"}}}
	for name, row := range map[string]struct {
		annotation, workload string
		domains              []string
		teams                []config.Team
		counts               bool
		want                 v1.Owner
	}{
		"named by the platform": {annotation: "b@example.com, A@example.com", domains: []string{"example.com"}, want: namespace("a@example.com", "b@example.com")},
		"one out of reach":      {annotation: "a@example.com, x@evil.test", domains: []string{"Example.com"}, want: namespace("a@example.com")},
		"all out of reach":      {annotation: "x@evil.test", domains: []string{"example.com"}, want: fallback},
		"a look-alike domain":   {annotation: "x@notexample.com", domains: []string{"example.com"}, want: fallback},
		"nobody named":          {want: fallback},
		"no domains configured": {annotation: "a@anywhere.test", want: namespace("a@anywhere.test")},
		"a team comes first":    {annotation: "a@example.com", workload: "w@example.com", teams: team, want: from("teams file, team pay", true, "pay@example.com")},
		"a team out of reach":   {annotation: "a@here.test", teams: team, domains: []string{"here.test"}, want: namespace("a@here.test")},
		"a workload comes last": {annotation: "a@example.com", workload: "w@example.com", counts: true, want: namespace("a@example.com")},
		"a workload receives":   {workload: "w@example.com", want: from("Deployment/shop/web, its own annotation "+own, false, "w@example.com")},
		"a workload counts where the configuration says so": {workload: "w@example.com", counts: true, want: from("Deployment/shop/web, its own annotation "+own, true, "w@example.com")},
		"a workload that writes nonsense":                   {workload: "w at example.com", counts: true, want: fallback},
	} {
		c := owner.Chain{Config: config.Owners{EmailAnnotation: key, WorkloadAnnotation: own, WorkloadCounts: row.counts, Fallback: []string{"Platform@example.com"}},
			Teams: row.teams, Domains: row.domains}
		named, by := c.Named(owner.Subject{Namespace: "shop", Annotations: map[string]string{key: row.annotation},
			Root: "Deployment/shop/web", Workload: map[string]string{own: row.workload}})
		if got := owner.Resolve(named, c.Config); !reflect.DeepEqual(got, row.want) || by != nil {
			t.Errorf("%s: got %+v and %v, want %+v", name, got, by, row.want)
		}
	}
}

func TestTeams(t *testing.T) {
	c := owner.Chain{Config: config.Owners{EmailAnnotation: key}, Teams: []config.Team{
		{Name: "shop", Emails: []string{"shop@example.com"}, Namespaces: []string{"shop"}},
		{Name: "labelled", Emails: []string{"label@example.com"}, Labels: []string{"team=pay"}},
		{Name: "security", Emails: []string{"sec@example.com"}, Namespaces: []string{"*"}, Rules: []string{"PRIVILEGED"}},
	}}
	for _, row := range []struct {
		namespace  string
		labels     map[string]string
		want, rule string
	}{
		{"shop", nil, "shop@example.com", "sec@example.com"},
		{"shop", map[string]string{"team": "pay"}, "shop@example.com", "sec@example.com"}, // the first that matches
		{"bill", map[string]string{"team": "pay"}, "label@example.com", "sec@example.com"},
		{"bill", map[string]string{"team": "payment"}, "", "sec@example.com"},
		{"shop-2", nil, "", "sec@example.com"},
	} {
		all, by := c.Named(owner.Subject{Namespace: row.namespace, Labels: row.labels})
		if all.Key() != row.want || by["PRIVILEGED"].Key() != row.rule || len(by) != 1 {
			t.Errorf("%s %v: %+v, %+v", row.namespace, row.labels, all, by)
		}
	}
	links := c.Links(owner.Subject{Namespace: "shop", Annotations: map[string]string{key: "a@example.com, nonsense"}}, "PRIVILEGED")
	var names []string
	for _, l := range links {
		names = append(names, l.From)
	}
	if want := []string{"teams file, team security", "teams file, team shop", "Namespace shop, annotation " + key}; !slices.Equal(names, want) ||
		!slices.Equal(links[2].Malformed, []string{"nonsense"}) {
		t.Errorf("%+v", links)
	}
}

// BenchmarkNamed asks who owns one root of 300 teams, each with a rule of its own everywhere.
func BenchmarkNamed(b *testing.B) {
	for name, namespaces := range map[string]string{"one matches": "", "all match": "*"} {
		b.Run(name, func(b *testing.B) {
			c := manyTeams(300, namespaces)
			for b.Loop() {
				c.Named(owner.Subject{Namespace: "ns-7", Annotations: map[string]string{key: "a@example.com"}})
			}
		})
	}
}

func manyTeams(n int, namespace string) owner.Chain {
	c := owner.Chain{Config: config.Owners{EmailAnnotation: key}, Domains: []string{"example.com"}}
	for i := range n {
		c.Teams = append(c.Teams, config.Team{Name: fmt.Sprint("team-", i), Emails: []string{fmt.Sprintf("team-%d@example.com", i)},
			Namespaces: []string{cmp.Or(namespace, fmt.Sprint("ns-", i))}, Rules: []string{fmt.Sprint("RULE_", i)}})
	}
	return c
}

// The first team that a rule is given to has it; what it costs grows with the teams, not with
// their square.
func TestManyTeams(t *testing.T) {
	cost := func(n int) float64 {
		c := manyTeams(n, "*")
		return testing.AllocsPerRun(5, func() { c.Named(owner.Subject{Namespace: "shop"}) })
	}
	if few, many := cost(30), cost(300); many > 20*few {
		t.Errorf("30 teams: %.0f allocations, 300 teams: %.0f", few, many)
	}
	c := manyTeams(3, "*")
	c.Teams[1].Rules, c.Teams[0].Emails = []string{"RULE_0", "RULE_2"}, []string{"far@other.test"}
	if all, by := c.Named(owner.Subject{Namespace: "shop"}); all.Key() != "" || len(by) != 2 ||
		by["RULE_0"].Key() != "team-1@example.com" || by["RULE_2"].Key() != "team-1@example.com" {
		t.Errorf("%+v, %+v", all, by)
	}
}
