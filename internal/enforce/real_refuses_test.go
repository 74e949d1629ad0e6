package enforce_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/control"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/enforce"
)

// refusals has a story for each rule of the gate, by its number and name: a case whose
// ladder is climbed, the one thing that is wrong, the refusal, and no write in the audit log.
func refusals() map[string]func(*testing.T, *plane) {
	return map[string]func(*testing.T, *plane){
		"01-observe-by-default": refuses01, "02-protected": refuses02, "03-reversible-only": statefulSetLosesClaims,
		"04-mark-wait-act": refuses04, "05-confirmed-warnings": controlOwnerChanged, "06-re-verify": refuses06,
		"07-preconditions": webhookAlways, "08-budget": controlNoGrant, "09-over-budget-none": refuses09,
		"10-breaker": controlClock, "11-unknown-is-not-guilty": refuses11, "12-root-and-manager": aroundOwner,
		"13-availability": aroundPDB, "14-undo-possible": aroundFinalizer, "15-freeze-and-permit": controlFrozen,
		"16-explainable": settleUnsent, "17-exemptions": refuses17,
	}
}

func TestEveryRuleHasARefusalStory(t *testing.T) {
	stories := refusals()
	for _, r := range enforce.Gate() {
		name := fmt.Sprintf("%02d-%s", r.Number, r.Name)
		if stories[name] == nil {
			t.Errorf("no story of refusal %s", name)
		}
		delete(stories, name)
	}
	for name := range stories {
		t.Errorf("story %s is of no rule", name)
	}
}

func refuses01(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.deploy()
	h.config.Enforce.Mode = config.ModeSafe
	h.refusing(1, "enforce.mode: enforce")
	h.config.Enforce.Mode = config.ModeEnforce
	h.policy.Enforce = false
	h.refusing(1, "warns only")
}

func refuses02(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.deploy()
	h.config.Enforce.Protect.Workloads = []string{h.ns + "/web"}
	h.refusing(2, "enforce.protect.workloads")
}

func refuses04(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.deploy()
	h.config.Enforce.MinimumAge = 3 * time.Hour // the case is two hours old
	h.refusing(4, "less than enforce.minimumAge 3h0m0s")
}

// refuses06: the owner mends the workload in the moment before the act.
func refuses06(t *testing.T, p *plane) {
	h := newHouse(t, p)
	d := h.deploy()
	d.Spec.Template.Spec.Containers[0].SecurityContext = nil
	must(p.admin.AppsV1().Deployments(h.ns).Update(t.Context(), d, metav1.UpdateOptions{}))
	h.refusing(6, "does not violate")
	h.wantReplicas(3)
}

// refuses09: two are due in a round that may grant one: neither is acted on.
func refuses09(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.deploy()
	h.config.Enforce.Budget.PerNamespace = 1
	other := control.Claim{ID: h.p.uid + "/another", Namespace: h.ns, Owner: team, Rules: []string{"PRIVILEGED"}}
	if _, err := h.control.File(t.Context(), h.p.uid, other); err != nil {
		t.Fatal(err)
	}
	h.refusing(9, "none of the round is done")
	if d := h.docket(); !d.Refusal.Human {
		t.Error("no person is asked")
	}
}

// refuses11: what no watch has shown lately is not judged by memory.
func refuses11(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.deploy()
	h.sight = sight{stale: true}
	h.refusing(11, "not sighted")
	h.sight = sight{empty: true}
	h.refusing(11, "no complete inventory")
}

func refuses17(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.deploy(func(d *appsv1.Deployment) {
		d.Annotations = map[string]string{"k8guard.io/exempt": "true"} // what a tenant writes exempts nothing
	})
	h.config.Exemptions = []config.Exemption{{Name: "web", Reason: "node agent, until the rewrite",
		Expires: time.Now().Add(time.Hour), Match: config.Match{Namespaces: []string{h.ns}}}}
	h.refusing(17, "node agent")
	h.config.Exemptions[0].Expires = time.Now().Add(-time.Minute)
	h.act(nil)
	h.wantState(docket.Done)
	if !strings.Contains(h.docket().Enforcement.Who, "test") {
		t.Error("the act does not say by which policy")
	}
}
