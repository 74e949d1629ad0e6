package chart

import (
	"regexp"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
)

// The table of rights in the documents is what the shipped roles say, verb by verb.
func TestDocumentedRights(t *testing.T) {
	documented := map[grant]bool{}
	row := regexp.MustCompile(`(?m)^\| (discover|action|report) \| ([a-z, ]+) \| ([^|]+) \|`)
	for _, m := range row.FindAllStringSubmatch(string(read(t, "../../docs/operators/permissions.md")), -1) {
		for _, verb := range strings.Split(m[2], ", ") {
			for _, on := range strings.Split(m[3], ", ") {
				resource, _, _ := strings.Cut(on, " ")
				documented[grant{m[1], resource, verb}] = true
			}
		}
	}
	shipped := map[grant]bool{}
	add := func(account string, rules []rbacv1.PolicyRule) {
		for _, r := range rules {
			for _, resource := range r.Resources {
				for _, verb := range r.Verbs {
					shipped[grant{strings.TrimPrefix(account, "k8guard-"), resource, verb}] = true
				}
			}
		}
	}
	for _, file := range []string{"rbac-discover.yaml", "rbac-action.yaml", "rbac-report.yaml"} {
		all := objects(t, read(t, deployDir+"/"+file))
		for _, r := range of[*rbacv1.ClusterRole](all) {
			add(r.Name, r.Rules)
		}
		for _, r := range of[*rbacv1.Role](all) {
			add(r.Name, r.Rules)
		}
	}
	for g := range shipped {
		if !documented[g] {
			t.Errorf("docs/operators/permissions.md lacks: %s", g)
		}
	}
	for g := range documented {
		if !shipped[g] {
			t.Errorf("docs/operators/permissions.md has, and nothing grants: %s", g)
		}
	}
}
