package enforce_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/utils/ptr"

	"github.com/k8guard/k8guard/internal/enforce"
)

// refusing wants a refusal by a rule, and that nothing but dry runs was sent.
func (h *house) refusing(rule int, part string) {
	h.t.Helper()
	h.act(nil)
	h.wantRefused(rule, part)
	h.wantWrites()
}

func aroundTests() map[string]func(*testing.T, *plane) {
	return map[string]func(*testing.T, *plane){
		"autoscaler": aroundHPA, "webhook": aroundWebhook, "api-service": aroundAPIService,
		"conversion": aroundConversion, "list-revoked": aroundRevoked,
	}
}

func aroundPDB(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.deploy()
	must(p.admin.PolicyV1().PodDisruptionBudgets(h.ns).Create(t.Context(), &policyv1.PodDisruptionBudget{
		ObjectMeta: metav1.ObjectMeta{Name: "keep"}, Spec: policyv1.PodDisruptionBudgetSpec{
			Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "web"}}}}, metav1.CreateOptions{}))
	h.refusing(13, "keep")
}

func aroundHPA(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.deploy()
	must(p.admin.AutoscalingV2().HorizontalPodAutoscalers(h.ns).Create(t.Context(), &autoscalingv2.HorizontalPodAutoscaler{
		ObjectMeta: metav1.ObjectMeta{Name: "grow"}, Spec: autoscalingv2.HorizontalPodAutoscalerSpec{MaxReplicas: 5,
			ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: "web"}}}, metav1.CreateOptions{}))
	h.refusing(13, "grow")
}

// serve gives the namespace a Service that selects the deployment's pods.
func (h *house) serve() {
	h.t.Helper()
	must(h.p.admin.CoreV1().Services(h.ns).Create(h.t.Context(), &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "svc"},
		Spec: corev1.ServiceSpec{Selector: map[string]string{"app": "web"}, Ports: []corev1.ServicePort{{Port: 443}}}}, metav1.CreateOptions{}))
}

func aroundWebhook(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.deploy()
	h.serve()
	hooks := p.admin.AdmissionregistrationV1().ValidatingWebhookConfigurations()
	must(hooks.Create(t.Context(), &admissionv1.ValidatingWebhookConfiguration{ObjectMeta: metav1.ObjectMeta{Name: "hook"},
		Webhooks: []admissionv1.ValidatingWebhook{{Name: "hook.example.org", SideEffects: ptr.To(admissionv1.SideEffectClassNone),
			AdmissionReviewVersions: []string{"v1"}, FailurePolicy: ptr.To(admissionv1.Ignore),
			ClientConfig: admissionv1.WebhookClientConfig{Service: &admissionv1.ServiceReference{Namespace: h.ns, Name: "svc"}},
			Rules: []admissionv1.RuleWithOperations{{Operations: []admissionv1.OperationType{"CREATE"},
				Rule: admissionv1.Rule{APIGroups: []string{"example.org"}, APIVersions: []string{"v1"}, Resources: []string{"none"}}}}}}}, metav1.CreateOptions{}))
	t.Cleanup(func() { _ = hooks.Delete(ctxOf(t), "hook", metav1.DeleteOptions{}) })
	h.refusing(2, "validating webhook hook")
}

func (h *house) make(resource schema.GroupVersionResource, object map[string]any) {
	h.t.Helper()
	c := must(dynamic.NewForConfig(must(h.p.cluster.RESTConfig()))).Resource(resource)
	o := must(c.Create(h.t.Context(), &unstructured.Unstructured{Object: object}, metav1.CreateOptions{}))
	h.t.Cleanup(func() { _ = c.Delete(ctxOf(h.t), o.GetName(), metav1.DeleteOptions{}) })
}

func aroundAPIService(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.deploy()
	h.serve()
	h.make(schema.GroupVersionResource{Group: "apiregistration.k8s.io", Version: "v1", Resource: "apiservices"}, map[string]any{
		"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": map[string]any{"name": "v1.served.example.org"},
		"spec": map[string]any{"group": "served.example.org", "version": "v1", "groupPriorityMinimum": int64(10), "versionPriority": int64(10),
			"insecureSkipTLSVerify": true, "service": map[string]any{"namespace": h.ns, "name": "svc", "port": int64(443)}}})
	h.refusing(2, "APIService v1.served.example.org")
}

func aroundConversion(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.deploy()
	h.serve()
	schemaless := map[string]any{"openAPIV3Schema": map[string]any{"type": "object"}}
	h.make(schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}, map[string]any{
		"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": map[string]any{"name": "things.example.org"},
		"spec": map[string]any{"group": "example.org", "scope": "Namespaced",
			"names":    map[string]any{"plural": "things", "singular": "thing", "kind": "Thing", "listKind": "ThingList"},
			"versions": []any{map[string]any{"name": "v1", "served": true, "storage": true, "schema": schemaless}},
			"conversion": map[string]any{"strategy": "Webhook", "webhook": map[string]any{"conversionReviewVersions": []any{"v1"},
				"clientConfig": map[string]any{"service": map[string]any{"namespace": h.ns, "name": "svc"}}}}}})
	h.refusing(2, "conversion of things.example.org")
}

// aroundRevoked takes away the right to list one kind alone: what cannot be read refuses.
func aroundRevoked(t *testing.T, p *plane) {
	for _, group := range []string{"autoscaling", "policy", "apiregistration.k8s.io", "apiextensions.k8s.io", "admissionregistration.k8s.io"} {
		t.Run(group, func(t *testing.T) {
			h := newHouse(t, p)
			h.deploy()
			role := must(p.admin.RbacV1().ClusterRoles().Get(t.Context(), "k8guard-action", metav1.GetOptions{}))
			rules := role.Rules
			role.Rules = nil
			resource := ""
			for _, r := range rules {
				if r.APIGroups[0] != group {
					role.Rules = append(role.Rules, r)
				} else if slices.Contains(r.Verbs, "list") {
					resource = r.Resources[0]
				}
			}
			must(p.admin.RbacV1().ClusterRoles().Update(t.Context(), role, metav1.UpdateOptions{}))
			t.Cleanup(func() {
				role := must(p.admin.RbacV1().ClusterRoles().Get(ctxOf(t), "k8guard-action", metav1.GetOptions{}))
				role.Rules = rules
				must(p.admin.RbacV1().ClusterRoles().Update(ctxOf(t), role, metav1.UpdateOptions{}))
				eventually(t, "the authoriser has seen it come back", func() bool { return mayList(t, p, group, resource) })
			})
			eventually(t, "the authoriser has seen it go", func() bool { return !mayList(t, p, group, resource) })
			h.act(nil)
			h.wantRefused(2, "forbidden")
			h.wantReplicas(3)
		})
	}
}

// mayList asks the API server what action's account may do.
func mayList(t *testing.T, p *plane, group, resource string) bool {
	t.Helper()
	review := must(p.client.AuthorizationV1().SelfSubjectAccessReviews().Create(ctxOf(t), &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{
		ResourceAttributes: &authorizationv1.ResourceAttributes{Group: group, Resource: resource, Verb: "list"}}}, metav1.CreateOptions{}))
	return review.Status.Allowed
}

func aroundFinalizer(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.expose(func(o *networkingv1.Ingress) { o.Finalizers = []string{"example.org/dns"} })
	h.refusing(14, "example.org/dns")
}

func aroundOwner(t *testing.T, p *plane) {
	h := newHouse(t, p)
	owner := must(p.admin.CoreV1().ConfigMaps(h.ns).Create(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "o"}}, metav1.CreateOptions{}))
	h.deploy(func(d *appsv1.Deployment) {
		d.OwnerReferences = []metav1.OwnerReference{{APIVersion: "databases.example.org/v1", Kind: "Database", Name: "main", UID: owner.UID}}
	})
	h.refusing(12, "Database")
}

func controlTests() map[string]func(*testing.T, *plane) {
	return map[string]func(*testing.T, *plane){
		"permit-absent": controlPermitAbsent, "permit-disabled": controlPermitDisabled,
		"other-ledger": controlOtherLedger, "ledger-fell-back": controlFellBack, "ledger-shown": controlShown, "ledger-accepted": controlAccepted,
		"lease-unreadable": controlLeaseUnreadable, "lease-absent": controlLeaseAbsent,
	}
}

func controlPermitAbsent(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.deploy()
	if err := p.admin.CoreV1().ConfigMaps("k8guard").Delete(t.Context(), "k8guard-permit", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	h.refusing(15, "is absent")
}

func controlPermitDisabled(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.deploy()
	p.permit(t, "disabled")
	h.refusing(15, "no permit")
}

func controlFrozen(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.deploy()
	for _, scope := range []string{"global", "cluster/test", "rule/PRIVILEGED"} {
		if err := h.control.Freeze(t.Context(), scope, "bob", "incident"); err != nil {
			t.Fatal(err)
		}
		h.refusing(15, scope)
		if err := h.control.Unfreeze(t.Context(), scope); err != nil {
			t.Fatal(err)
		}
	}
}

// trips wants a refusal by rule 10 and a breaker that says why it is open.
func (h *house) trips(part string) {
	h.t.Helper()
	h.refusing(10, "")
	if b := must(h.control.Breaker(h.t.Context())); !b.Open || !strings.Contains(b.Reason, part) {
		h.t.Errorf("the breaker is %+v", b)
	}
	h.wantReplicas(3)
}

func controlClock(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.deploy()
	h.skew = -31 * time.Second
	h.trips("clock")
}

func controlOtherLedger(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.deploy()
	p.lease(t, map[string]string{"k8guard.io/ledger": "another", "k8guard.io/sequence": "1"})
	h.trips("another ledger")
}

func controlFellBack(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.deploy()
	p.lease(t, map[string]string{"k8guard.io/ledger": "first", "k8guard.io/sequence": "7"})
	p.apply(t, "rbac-action.yaml") // an upgrade keeps what the Lease shows
	h.trips("fell back")
	// To be asked again must not let the ledger catch up, nor may the breaker be closed as any other.
	for range 8 {
		if err := h.control.Close(t.Context(), "", "bob", "try again"); err == nil || !strings.Contains(err.Error(), "--accept-ledger") {
			t.Fatal(err)
		}
		h.trips("fell back")
	}
}

func controlLeaseUnreadable(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.deploy()
	p.lease(t, map[string]string{"k8guard.io/ledger": "first", "k8guard.io/sequence": "seven"})
	h.trips("cannot be read")
}

func controlLeaseAbsent(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.deploy()
	if err := p.admin.CoordinationV1().Leases("k8guard").Delete(t.Context(), enforce.LeaseName, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.cluster.Apply(ctxOf(t), shipped("rbac-action.yaml")); err != nil {
			t.Error(err)
		}
	})
	h.refusing(10, "rbac-action.yaml")
}

func controlNoGrant(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.deploy()
	if err := h.process("first", nil).Enforce(t.Context(), h.key, h.cases, h.policy); err != nil {
		t.Fatal(err)
	}
	h.wantRefused(8, "budget")
	h.wantReplicas(3)
}

// controlOwnerChanged: the warnings went to another than the owner of this moment.
func controlOwnerChanged(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.deploy()
	must(p.admin.CoreV1().Namespaces().Patch(t.Context(), h.ns, "application/merge-patch+json",
		[]byte(`{"metadata":{"annotations":{"team/email-ids":"new@example.org"}}}`), metav1.PatchOptions{}))
	h.refusing(5, "0 of 2 warnings confirmed")
}
