package enforce_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/enforce"
	"github.com/k8guard/k8guard/internal/ledger"
)

func undoTests() map[string]func(*testing.T, *plane) {
	return map[string]func(*testing.T, *plane){
		"someone-scaled": undoSomeoneScaled, "deployment-gone": undoGone, "host-taken": undoHostTaken, "host-shared": undoHostShared,
		"host-taken-by-edit": undoHostSharedWritten,
		"name-taken":         undoNameTaken, "others-alias": undoOthersAlias, "namespace-ends": undoNamespaceEnds,
		"under-freeze": undoUnderFreeze, "two-trip-the-breaker": undoTwice,
	}
}

// undoStops wants an undo that stops with these words and leaves the act as it was.
func (h *house) undoStops(parts ...string) {
	h.t.Helper()
	_, err := h.process("first", nil).Undo(h.t.Context(), h.key, docket.Undo{By: "alice"})
	if err == nil {
		h.t.Fatal("the undo went through")
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			h.t.Errorf("%q is not in %q", part, err)
		}
	}
	h.wantState(docket.Done)
}

func undoSomeoneScaled(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.deploy()
	h.act(nil)
	// The API names nobody after an update of the scale to zero.
	for _, by := range [][2]string{{"2", "kubectl"}, {"0", "a writer that the API does not name"}} {
		if _, err := p.cluster.Kubectl(t.Context(), "-n", h.ns, "scale", "deployment/web", "--replicas="+by[0]); err != nil {
			t.Fatal(err)
		}
		h.undoStops(by[0]+" replicas", by[1])
	}
	h.wantWrites("patch deployments/scale")
}

func undoGone(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.deploy()
	h.act(nil)
	if err := p.admin.AppsV1().Deployments(h.ns).Delete(t.Context(), "web", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	h.undoStops("gone")
}

func undoHostTaken(t *testing.T, p *plane) {
	h := newHouse(t, p)
	before := h.expose()
	h.act(nil)
	must(p.admin.NetworkingV1().Ingresses("default").Create(t.Context(), ingress("thief", before.Spec.Rules[0].Host), metav1.CreateOptions{}))
	h.undoStops(before.Spec.Rules[0].Host, "served by another ingress now")
	if err := p.admin.NetworkingV1().Ingresses("default").Delete(t.Context(), "thief", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := h.process("first", nil).Undo(t.Context(), h.key, docket.Undo{By: "alice", Reason: "free again"}); err != nil {
		t.Error(err)
	}
	h.wantState(docket.Undid)
}

// undoHostShared: another ingress served the host beside ours before the act. That is no
// theft, unless somebody wrote to it since.
func undoHostShared(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.config.Enforce.Breaker.ClockSkew = time.Second
	before := h.expose()
	ingresses := p.admin.NetworkingV1().Ingresses(h.ns)
	must(ingresses.Create(t.Context(), ingress("shared", before.Spec.Rules[0].Host), metav1.CreateOptions{}))
	time.Sleep(3 * time.Second) // the API server stamps whole seconds
	h.act(nil)
	if _, err := h.process("first", nil).Undo(t.Context(), h.key, docket.Undo{By: "alice"}); err != nil {
		t.Fatal(err)
	}
	h.wantState(docket.Undid)
}

func undoHostSharedWritten(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.config.Enforce.Breaker.ClockSkew = time.Second
	before := h.expose()
	ingresses := p.admin.NetworkingV1().Ingresses(h.ns)
	must(ingresses.Create(t.Context(), ingress("shared", "mine.example"), metav1.CreateOptions{}))
	time.Sleep(3 * time.Second)
	h.act(nil)
	thief := fmt.Sprintf(`[{"op":"replace","path":"/spec/rules/0/host","value":%q}]`, before.Spec.Rules[0].Host)
	must(ingresses.Patch(t.Context(), "shared", types.JSONPatchType, []byte(thief), metav1.PatchOptions{}))
	h.undoStops(before.Spec.Rules[0].Host, "served by another ingress now")
}

// undoNameTaken: a tenant made the ingress anew, and even forged our mark.
func undoNameTaken(t *testing.T, p *plane) {
	h := newHouse(t, p)
	before := h.expose()
	d := h.act(nil)
	forged := ingress("web", before.Spec.Rules[0].Host)
	forged.Annotations[enforce.Annotation] = d.Enforcement.ID
	must(p.admin.NetworkingV1().Ingresses(h.ns).Create(t.Context(), forged, metav1.CreateOptions{}))
	h.undoStops("another ingress bears the name")
	h.wantWrites("delete ingresses")
}

// undoOthersAlias: the name belongs to a later root that was restored; an undo of the
// earlier one stops, and must not cut the later one from its docket.
func undoOthersAlias(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.expose()
	h.act(nil)
	earlier := h.key
	h.expose()
	h.act(nil)
	if _, err := h.process("first", nil).Undo(t.Context(), h.key, docket.Undo{By: "alice"}); err != nil {
		t.Fatal(err)
	}
	key := enforce.AliasKey(p.uid, h.ns, "web")
	want := must(ledger.Read[enforce.Alias](t.Context(), h.ledger, key))
	if got := must(ledger.Read[docket.Key](t.Context(), h.ledger, enforce.AliasUIDKey(p.uid, want.UID))); got != h.key {
		t.Errorf("the new UID leads to %+v, want %+v", got, h.key)
	}
	h.key = earlier
	h.undoStops("another ingress bears the name")
	if got := must(ledger.Read[enforce.Alias](t.Context(), h.ledger, key)); got != want || got.UID == "" {
		t.Errorf("the alias is %+v, was %+v", got, want)
	}
}

// undoNamespaceEnds: the server refuses for good, so the undo ends and the name is free.
func undoNamespaceEnds(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.expose()
	h.act(nil)
	must(p.admin.CoreV1().ConfigMaps(h.ns).Create(t.Context(), &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: "hold", Finalizers: []string{"example.org/hold"}}}, metav1.CreateOptions{}))
	if err := p.admin.CoreV1().Namespaces().Delete(t.Context(), h.ns, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	h.undoStops("being terminated")
	if a := must(ledger.Read[enforce.Alias](t.Context(), h.ledger, enforce.AliasKey(p.uid, h.ns, "web"))); a.Pending {
		t.Error("the name stays reserved")
	}
	must(p.admin.CoreV1().ConfigMaps(h.ns).Patch(t.Context(), "hold", "application/merge-patch+json", []byte(`{"metadata":{"finalizers":null}}`), metav1.PatchOptions{}))
	eventually(t, "the namespace is gone", func() bool {
		_, err := p.admin.CoreV1().Namespaces().Get(t.Context(), h.ns, metav1.GetOptions{})
		return apierrors.IsNotFound(err)
	})
	h.undoStops("not found")
}

func undoUnderFreeze(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.deploy()
	h.act(nil)
	p.permit(t, "disabled")
	if err := h.control.Freeze(t.Context(), "global", "bob", "incident"); err != nil {
		t.Fatal(err)
	}
	if _, err := h.process("first", nil).Undo(t.Context(), h.key, docket.Undo{By: "alice"}); err != nil {
		t.Fatal(err)
	}
	h.wantReplicas(3)
}

func undoTwice(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.config.Enforce.Breaker.UndosPerHour = 1
	h.deploy()
	h.act(nil)
	if _, err := h.process("first", nil).Undo(t.Context(), h.key, docket.Undo{By: "alice"}); err != nil {
		t.Fatal(err)
	}
	if b := must(h.control.Breaker(t.Context())); !b.Open {
		t.Error("the breaker is closed")
	}
	if d := h.docket(); !d.CoolOffUntil.After(d.Enforcement.Undo.DoneAt) {
		t.Errorf("cool-off until %s, undone at %s", d.CoolOffUntil, d.Enforcement.Undo.DoneAt)
	}
}
