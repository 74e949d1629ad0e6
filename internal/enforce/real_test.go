package enforce_test

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/enforce"
	"github.com/k8guard/k8guard/internal/ledger"
)

// TestOnARealControlPlane runs everything under the shipped account, rights and policies.
// The parts follow each other: they share the permit, the Lease and the policies.
func TestOnARealControlPlane(t *testing.T) {
	p := newPlane(t)
	for _, group := range []struct {
		name  string
		tests map[string]func(*testing.T, *plane)
	}{
		{"act", acts()}, {"refuses", refusals()}, {"kind", kindTests()}, {"settle", settles()}, {"conflict", conflictTests()}, {"line", lineTests()},
		{"undo", undoTests()}, {"around", aroundTests()}, {"webhook", webhookTests()}, {"control", controlTests()},
		{"admission", map[string]func(*testing.T, *plane){"denies": admissionDenies, "preflight": preflightRefuses}},
	} {
		for name, test := range group.tests {
			t.Run(group.name+"-"+name, func(t *testing.T) { test(t, p) })
		}
	}
}

// deploy makes a privileged deployment with 3 replicas, waits until the controllers have
// come to rest, and seeds its docket.
func (h *house) deploy(change ...func(*appsv1.Deployment)) *appsv1.Deployment {
	h.t.Helper()
	d := deployment("web")
	for _, c := range change {
		c(d)
	}
	deployments := h.p.admin.AppsV1().Deployments(h.ns)
	must(deployments.Create(h.t.Context(), d, metav1.CreateOptions{}))
	eventually(h.t, "the deployment is at rest", func() bool {
		got := must(deployments.Get(h.t.Context(), d.Name, metav1.GetOptions{}))
		rest := got.Status.Replicas == *got.Spec.Replicas && got.Status.UpdatedReplicas == got.Status.Replicas && len(got.Status.Conditions) > 1
		d = got
		return rest
	})
	h.seed(d)
	return d
}

// expose makes an ingress for every host of a domain and seeds its docket.
func (h *house) expose(change ...func(*networkingv1.Ingress)) *networkingv1.Ingress {
	h.t.Helper()
	o := ingress("web", "*."+h.ns+".example")
	for _, c := range change {
		c(o)
	}
	o = must(h.p.admin.NetworkingV1().Ingresses(h.ns).Create(h.t.Context(), o, metav1.CreateOptions{}))
	h.seed(o)
	return o
}

func (h *house) replicas() int32 {
	h.t.Helper()
	return *must(h.p.admin.AppsV1().Deployments(h.ns).Get(context.WithoutCancel(h.t.Context()), "web", metav1.GetOptions{})).Spec.Replicas
}

func (h *house) wantReplicas(want int32) {
	h.t.Helper()
	if got := h.replicas(); got != want {
		h.t.Fatalf("%d replicas, want %d", got, want)
	}
}

func (h *house) wantWrites(want ...string) {
	h.t.Helper()
	var got []string
	for _, e := range h.p.writes(h.t, h.ns) {
		if e.ResponseStatus.Code < 300 {
			got = append(got, strings.TrimSuffix(e.Verb+" "+e.ObjectRef.Resource+"/"+e.ObjectRef.Subresource, "/"))
		}
	}
	if strings.Join(got, ", ") != strings.Join(want, ", ") {
		h.t.Errorf("the audit log has the writes %v, want %v", got, want)
	}
}

// wantEvents holds what the namespace's Events say of one object.
func (h *house) wantEvents(kind, name string, want ...string) {
	h.t.Helper()
	var got []string
	for _, e := range must(h.p.admin.CoreV1().Events(h.ns).List(h.t.Context(), metav1.ListOptions{})).Items {
		if e.Source.Component == "k8guard" && e.InvolvedObject.Kind == kind && e.InvolvedObject.Name == name && strings.Contains(e.Message, "PRIVILEGED") {
			got = append(got, e.Reason)
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		h.t.Errorf("Events on %s %s: %q, want %q", kind, name, got, want)
	}
}

func acts() map[string]func(*testing.T, *plane) {
	return map[string]func(*testing.T, *plane){
		"scale": scaleAndBack, "ingress": deleteAndBack, "side-by-side": sideBySide,
	}
}

func scaleAndBack(t *testing.T, p *plane) {
	h := newHouse(t, p)
	before := h.deploy()
	start := time.Now()
	d := h.act(nil)
	t.Logf("budget, gate, act and record took %s", time.Since(start).Round(time.Millisecond))
	h.wantReplicas(0)
	h.wantState(docket.Done)
	after := must(p.admin.AppsV1().Deployments(h.ns).Get(t.Context(), "web", metav1.GetOptions{}))
	e := d.Enforcement
	if e.Prior.Replicas == nil || *e.Prior.Replicas != 3 || e.Prior.ResourceVersion != before.ResourceVersion || e.Written == "" || e.Written == before.ResourceVersion || e.Grant == "" {
		t.Errorf("on record: prior %+v, written %q, grant %q", e.Prior, e.Written, e.Grant)
	}
	if after.UID != before.UID || d.Cases[0].State != docket.Acted {
		t.Errorf("UID %s as before %s; the case is %s", after.UID, before.UID, d.Cases[0].State)
	}
	writes := p.writes(t, h.ns)
	if len(writes) != 1 {
		t.Fatalf("%d writes, want one: %+v", len(writes), writes)
	}
	var body struct {
		Metadata struct{ UID, ResourceVersion string }
	}
	if err := json.Unmarshal(writes[0].RequestObject, &body); err != nil {
		t.Fatal(err)
	}
	if w := writes[0]; w.Verb != "patch" || w.ObjectRef.Subresource != "scale" || body.Metadata.UID != string(before.UID) || body.Metadata.ResourceVersion != before.ResourceVersion {
		t.Errorf("the write: %s %s with %+v", w.Verb, w.RequestURI, body)
	}
	if err := h.process("first", nil).Enforce(t.Context(), h.key, h.cases, h.policy); err == nil {
		t.Error("a second enforcement of one root began")
	}
	if _, err := h.process("first", nil).Undo(t.Context(), h.key, docket.Undo{By: "alice", Reason: "fixed"}); err != nil {
		t.Fatal(err)
	}
	h.wantReplicas(3)
	h.wantState(docket.Undid)
	h.wantWrites("patch deployments/scale", "update deployments/scale")
	if _, err := h.process("first", nil).Undo(t.Context(), h.key, docket.Undo{By: "alice", Reason: "again"}); err == nil {
		t.Error("a second undo was done")
	}
}

func deleteAndBack(t *testing.T, p *plane) {
	h := newHouse(t, p)
	before := h.expose()
	h.act(nil)
	h.wantState(docket.Done)
	ingresses := p.admin.NetworkingV1().Ingresses(h.ns)
	if _, err := ingresses.Get(t.Context(), "web", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Fatalf("the ingress is still there: %v", err)
	}
	writes := p.writes(t, h.ns)
	var body metav1.DeleteOptions
	if len(writes) != 1 || json.Unmarshal(writes[0].RequestObject, &body) != nil || body.Preconditions == nil ||
		*body.Preconditions.UID != before.UID || *body.Preconditions.ResourceVersion != before.ResourceVersion || writes[0].Verb != "delete" {
		t.Fatalf("the writes: %+v", writes)
	}
	if _, err := h.process("first", nil).Undo(t.Context(), h.key, docket.Undo{By: "alice", Reason: "needed"}); err != nil {
		t.Fatal(err)
	}
	d := h.wantState(docket.Undid)
	after := must(ingresses.Get(t.Context(), "web", metav1.GetOptions{}))
	if after.Annotations[enforce.Annotation] != d.Enforcement.ID {
		t.Errorf("the mark is %q, want %q", after.Annotations[enforce.Annotation], d.Enforcement.ID)
	}
	delete(after.Annotations, enforce.Annotation)
	if !apiequality.Semantic.DeepEqual(before.Spec, after.Spec) || !maps.Equal(before.Labels, after.Labels) || !maps.Equal(before.Annotations, after.Annotations) {
		t.Errorf("came back as %+v, was %+v", after, before)
	}
	alias := must(ledger.Read[enforce.Alias](t.Context(), h.ledger, enforce.AliasKey(p.uid, h.ns, "web")))
	if want := (enforce.Alias{Docket: h.key, UID: string(after.UID)}); alias != want || !d.Holds(string(after.UID)) || d.Enforcement.Undo.NewUID != string(after.UID) {
		t.Errorf("alias %+v, want %+v; the docket's aliases %v", alias, want, d.Aliases)
	}
	h.wantWrites("delete ingresses", "create ingresses")
}

// sideBySide acts on four roots at once: one Lease and one budget serve them all.
func sideBySide(t *testing.T, p *plane) {
	h := newHouse(t, p)
	names := []string{"web", "two", "three", "four"}
	var keys []docket.Key
	var cases [][]string
	for _, name := range names {
		h.deploy(func(d *appsv1.Deployment) { *d = *deployment(name) })
		h.grant()
		keys, cases = append(keys, h.key), append(cases, h.cases)
	}
	first := h.process("first", nil)
	done := make(chan error)
	for i := range names {
		go func() { done <- first.Enforce(t.Context(), keys[i], cases[i], h.policy) }()
	}
	for range names {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	for _, h.key = range keys {
		h.wantState(docket.Done)
	}
	if b := must(h.control.Breaker(t.Context())); b.Open {
		t.Errorf("the breaker opened: %s", b.Reason)
	}
}
