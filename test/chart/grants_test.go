package chart

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/k8guard/k8guard/tools/controlplane/audit"
)

// grant is one verb on one resource for one account; in a namespace where a Role says so.
type grant struct{ account, resource, verb string }

func (g grant) String() string { return g.account + " " + g.verb + " " + g.resource }

// granted are what the cluster's own objects of the release give to K8Guard's accounts.
func granted(t *testing.T, client kubernetes.Interface, release string) map[grant]bool {
	t.Helper()
	all := map[grant]bool{}
	of := metav1.ListOptions{LabelSelector: "app.kubernetes.io/instance=" + release}
	add := func(subjects []rbacv1.Subject, rules []rbacv1.PolicyRule) {
		for _, s := range subjects {
			for _, r := range rules {
				for _, group := range r.APIGroups {
					for _, resource := range r.Resources {
						for _, verb := range r.Verbs {
							all[grant{s.Name, resource + "." + group, verb}] = true
						}
					}
				}
			}
		}
	}
	wide, err := client.RbacV1().ClusterRoleBindings().List(t.Context(), of)
	must(t, err)
	for _, b := range wide.Items {
		role, err := client.RbacV1().ClusterRoles().Get(t.Context(), b.RoleRef.Name, metav1.GetOptions{})
		must(t, err)
		add(b.Subjects, role.Rules)
	}
	narrow, err := client.RbacV1().RoleBindings("k8guard").List(t.Context(), of)
	must(t, err)
	for _, b := range narrow.Items {
		role, err := client.RbacV1().Roles("k8guard").Get(t.Context(), b.RoleRef.Name, metav1.GetOptions{})
		must(t, err)
		add(b.Subjects, role.Rules)
	}
	if len(all) == 0 {
		t.Fatal("the release grants nothing")
	}
	return all
}

// used counts what the audit log says that the accounts asked for, and names what was refused
// for want of a right.
func used(events []audit.Event) (counts map[grant]int, refused []string) {
	counts = map[grant]int{}
	seen := map[string]bool{} // a watch has two events
	for _, e := range events {
		account, ours := strings.CutPrefix(e.User.Name, "system:serviceaccount:k8guard:")
		if !ours || e.ObjectRef.Resource == "" || seen[e.AuditID] {
			continue
		}
		seen[e.AuditID] = true
		resource := e.ObjectRef.Resource
		if e.ObjectRef.Subresource != "" {
			resource += "/" + e.ObjectRef.Subresource
		}
		g := grant{account, resource + "." + e.ObjectRef.APIGroup, e.Verb}
		counts[g]++
		if e.ResponseStatus.Code == 403 {
			refused = append(refused, fmt.Sprintf("%s: %s", g, e.ResponseStatus.Message))
		}
	}
	return counts, refused
}

// everybody may ask who they are.
func everybody(g grant) bool {
	return g.resource == "selfsubjectreviews.authentication.k8s.io" && g.verb == "create"
}

// compare makes the table, and names a use without a grant, a refusal, and a grant that was not
// used for a reason that nobody knows.
func compare(granted map[grant]bool, counts map[grant]int, refused []string, reasons func(grant) string) (table string, wrong []string) {
	for _, r := range refused {
		wrong = append(wrong, "refused: "+r)
	}
	all := maps.Clone(granted)
	for g := range counts {
		all[g] = true
	}
	var b strings.Builder
	for _, g := range slices.SortedFunc(maps.Keys(all), func(a, b grant) int {
		return cmp.Or(strings.Compare(a.account, b.account), strings.Compare(a.resource, b.resource), strings.Compare(a.verb, b.verb))
	}) {
		why := ""
		switch {
		case !granted[g] && !everybody(g):
			why = "NOT GRANTED"
			wrong = append(wrong, "used, and not granted: "+g.String())
		case !granted[g]:
			why = "everybody may"
		case counts[g] == 0:
			if why = reasons(g); why == "" {
				wrong = append(wrong, "granted, not used, and nobody knows why: "+g.String())
			}
		}
		fmt.Fprintf(&b, "%-17s %-62s %-7s %6d  %s\n", g.account, strings.TrimSuffix(g.resource, "."), g.verb, counts[g], why)
	}
	return b.String(), wrong
}

func TestCompare(t *testing.T) {
	event := func(id, who, verb, resource string, code int32) audit.Event {
		return audit.Event{AuditID: id, Verb: verb, User: audit.User{Name: who}, ObjectRef: audit.ObjectRef{Resource: resource}, ResponseStatus: audit.Status{Code: code}}
	}
	const ours = "system:serviceaccount:k8guard:k8guard-action"
	counts, refused := used([]audit.Event{
		event("1", ours, "watch", "pods", 200), event("1", ours, "watch", "pods", 200),
		event("2", ours, "list", "secrets", 403), event("3", "admin", "get", "nodes", 200), event("4", ours, "get", "", 200),
	})
	granted := map[grant]bool{{"k8guard-action", "pods.", "watch"}: true, {"k8guard-action", "pods.", "get"}: true, {"k8guard-action", "pods.", "list"}: true}
	table, wrong := compare(granted, counts, refused, func(g grant) string {
		if g.verb == "list" {
			return "a reason"
		}
		return ""
	})
	want := []string{"refused: k8guard-action list secrets.: ", "granted, not used, and nobody knows why: k8guard-action get pods.", "used, and not granted: k8guard-action list secrets."}
	if !slices.Equal(wrong, want) || counts[grant{"k8guard-action", "pods.", "watch"}] != 1 || strings.Count(table, "\n") != 4 {
		t.Errorf("%q\n%s", wrong, table)
	}
}
