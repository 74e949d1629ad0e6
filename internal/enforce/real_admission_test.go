package enforce_test

import (
	"context"
	"strings"
	"testing"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/k8guard/k8guard/deploy"
	"github.com/k8guard/k8guard/internal/enforce"
)

func ctxOf(t *testing.T) context.Context { return context.WithoutCancel(t.Context()) }

// admissionDenies tries, as the account, what it must not do, and what it must be able to.
func admissionDenies(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.deploy()
	h.expose()
	system := deployment("system")
	must(p.admin.AppsV1().Deployments("kube-system").Create(t.Context(), system, metav1.CreateOptions{}))
	h.statefulSet(nil)
	setPatch := func(body string) error {
		_, err := p.client.AppsV1().StatefulSets(h.ns).Patch(t.Context(), "web", types.MergePatchType, []byte(body), metav1.PatchOptions{})
		return err
	}
	setScale := func(n int32) error {
		_, err := p.client.AppsV1().StatefulSets(h.ns).UpdateScale(t.Context(), "web", &autoscalingv1.Scale{
			ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: h.ns}, Spec: autoscalingv1.ScaleSpec{Replicas: n}}, metav1.UpdateOptions{})
		return err
	}
	patch := func(body string) error {
		_, err := p.client.AppsV1().Deployments(h.ns).Patch(t.Context(), "web", types.StrategicMergePatchType, []byte(body), metav1.PatchOptions{})
		return err
	}
	patchIngress := func(body string) error {
		_, err := p.client.NetworkingV1().Ingresses(h.ns).Patch(t.Context(), "web", types.MergePatchType, []byte(body), metav1.PatchOptions{})
		return err
	}
	scale := func(ns, name string, n int32) error {
		_, err := p.client.AppsV1().Deployments(ns).UpdateScale(t.Context(), name, &autoscalingv1.Scale{
			ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: ns}, Spec: autoscalingv1.ScaleSpec{Replicas: n}}, metav1.UpdateOptions{})
		return err
	}
	create := func(ns string, annotations map[string]string) error {
		o := ingress("made", "made.example")
		o.Annotations = annotations
		_, err := p.client.NetworkingV1().Ingresses(ns).Create(t.Context(), o, metav1.CreateOptions{})
		return err
	}
	h.cronJob(nil)
	cron := func(body string) error {
		_, err := p.client.BatchV1().CronJobs(h.ns).Patch(t.Context(), "web", types.MergePatchType, []byte(body), metav1.PatchOptions{})
		return err
	}
	must(p.admin.BatchV1().CronJobs("kube-system").Create(t.Context(), cronJob(), metav1.CreateOptions{}))
	const objects, scales, ingresses, rbac = "k8guard-action-objects", "k8guard-action-scale", "k8guard-action-ingresses", "cannot"
	marked := map[string]string{enforce.Annotation: "e-1"}
	for _, row := range []struct {
		name, by string
		err      error
	}{
		{"image", objects, patch(`{"spec":{"template":{"spec":{"containers":[{"name":"main","image":"evil:1"}]}}}}`)},
		{"replicas by the main resource", objects, patch(`{"spec":{"replicas":0}}`)},
		{"service account", objects, patch(`{"spec":{"template":{"spec":{"serviceAccountName":"admin"}}}}`)},
		{"label", objects, patch(`{"metadata":{"labels":{"a":"b"}}}`)},
		{"another annotation", objects, patch(`{"metadata":{"annotations":{"a":"b"}}}`)},
		{"an annotation beside ours", objects, patch(`{"metadata":{"annotations":{"k8guard.io/enforcement":"e-1","a":"b"}}}`)},
		{"another annotation taken away", objects, patch(`{"metadata":{"annotations":{"deployment.kubernetes.io/revision":null}}}`)},
		{"another annotation changed", objects, patch(`{"metadata":{"annotations":{"deployment.kubernetes.io/revision":"9"}}}`)},
		{"finalizer", objects, patch(`{"metadata":{"finalizers":["example.org/f"]}}`)},
		{"owner reference", objects, patch(`{"metadata":{"ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"a","uid":"u"}]}}`)},
		{"3 to 5", scales, scale(h.ns, "web", 5)},
		{"3 to 1", scales, scale(h.ns, "web", 1)},
		{"3 to 5 by patch", scales, second(p.client.AppsV1().Deployments(h.ns).Patch(t.Context(), "web", types.MergePatchType, []byte(`{"spec":{"replicas":5}}`), metav1.PatchOptions{}, "scale"))},
		{"kube-system to zero", scales, scale("kube-system", "system", 0)},
		{"a stateful set from 3 to 5", scales, setScale(5)},
		{"a stateful set's image", objects, setPatch(`{"spec":{"template":{"spec":{"serviceAccountName":"admin"}}}}`)},
		{"a stateful set's claims", objects, setPatch(`{"spec":{"persistentVolumeClaimRetentionPolicy":{"whenScaled":"Delete"}}}`)},
		{"an ingress's spec", objects, patchIngress(`{"spec":{"ingressClassName":"evil"}}`)},
		{"an ingress's label", objects, patchIngress(`{"metadata":{"labels":{"a":"b"}}}`)},
		{"an unmarked ingress", ingresses, create(h.ns, nil)},
		{"a wrongly marked ingress", ingresses, create(h.ns, map[string]string{enforce.Annotation: "x"})},
		{"a marked ingress in kube-system", ingresses, create("kube-system", marked)},
		{"delete an ingress in K8Guard's namespace", ingresses, p.client.NetworkingV1().Ingresses("k8guard").Delete(t.Context(), p.ingressIn(t, "k8guard"), metav1.DeleteOptions{})},
		{"delete a deployment", rbac, p.client.AppsV1().Deployments(h.ns).Delete(t.Context(), "web", metav1.DeleteOptions{})},
		{"delete all ingresses", rbac, p.client.NetworkingV1().Ingresses(h.ns).DeleteCollection(t.Context(), metav1.DeleteOptions{}, metav1.ListOptions{})},
		{"delete a pod", rbac, p.client.CoreV1().Pods(h.ns).Delete(t.Context(), "any", metav1.DeleteOptions{})},
		{"create a deployment", rbac, second(p.client.AppsV1().Deployments(h.ns).Create(t.Context(), deployment("x"), metav1.CreateOptions{}))},
		{"update a deployment", rbac, second(p.client.AppsV1().Deployments(h.ns).Update(t.Context(), deployment("web"), metav1.UpdateOptions{}))},
		{"read a secret", rbac, second(p.client.CoreV1().Secrets(h.ns).Get(t.Context(), "any", metav1.GetOptions{}))},
		{"list secrets", rbac, second(p.client.CoreV1().Secrets("").List(t.Context(), metav1.ListOptions{}))},
		{"write the permit", rbac, second(p.client.CoreV1().ConfigMaps("k8guard").Patch(t.Context(), "k8guard-permit", types.MergePatchType, []byte(`{"data":{"enforcement":"enabled"}}`), metav1.PatchOptions{}))},
		{"read another config map", rbac, second(p.client.CoreV1().ConfigMaps("k8guard").Get(t.Context(), "other", metav1.GetOptions{}))},
		{"a cron job's schedule", objects, cron(`{"spec":{"suspend":true,"schedule":"* * * * *"}}`)},
		{"a cron job's deadline taken away", objects, cron(`{"spec":{"startingDeadlineSeconds":null}}`)},
		{"a cron job's new limit", objects, cron(`{"spec":{"timeZone":"Etc/UTC"}}`)},
		{"a cron job's image", objects, cron(`{"spec":{"jobTemplate":{"spec":{"template":{"spec":{"serviceAccountName":"admin"}}}}}}`)},
		{"a cron job's label", objects, cron(`{"metadata":{"labels":{"a":"b"}}}`)},
		{"a cron job of kube-system", objects, second(p.client.BatchV1().CronJobs("kube-system").Patch(t.Context(), "web", types.MergePatchType, []byte(`{"spec":{"suspend":true}}`), metav1.PatchOptions{}))},
		{"delete a cron job", rbac, p.client.BatchV1().CronJobs(h.ns).Delete(t.Context(), "web", metav1.DeleteOptions{})},
		{"create a job", rbac, second(p.client.BatchV1().Jobs(h.ns).Create(t.Context(), idleJob(), metav1.CreateOptions{}))},
		{"delete a stateful set", rbac, p.client.AppsV1().StatefulSets(h.ns).Delete(t.Context(), "web", metav1.DeleteOptions{})},
		{"patch a daemon set", rbac, second(p.client.AppsV1().DaemonSets(h.ns).Patch(t.Context(), "any", types.MergePatchType, []byte(`{}`), metav1.PatchOptions{}))},
		{"write discover's lease", rbac, second(p.client.CoordinationV1().Leases("k8guard").Patch(t.Context(), "k8guard-discover", types.MergePatchType, []byte(`{}`), metav1.PatchOptions{}))},
		{"change a policy", rbac, p.client.AdmissionregistrationV1().ValidatingAdmissionPolicyBindings().Delete(t.Context(), scales, metav1.DeleteOptions{})},
		{"delete a namespace", rbac, p.client.CoreV1().Namespaces().Delete(t.Context(), h.ns, metav1.DeleteOptions{})},
	} {
		if row.err == nil || !apierrors.IsForbidden(row.err) && !apierrors.IsInvalid(row.err) || !strings.Contains(row.err.Error(), row.by) {
			t.Errorf("%s: want a refusal by %s, got %v", row.name, row.by, row.err)
		}
	}
	h.wantReplicas(3)
	for _, row := range []struct {
		name string
		err  error
	}{
		{"our annotation", patch(`{"metadata":{"annotations":{"k8guard.io/enforcement":"e-1/f"}}}`)},
		{"our annotation, again", patch(`{"metadata":{"annotations":{"k8guard.io/enforcement":"e-2/f"}}}`)},
		{"our annotation on an ingress", patchIngress(`{"metadata":{"annotations":{"k8guard.io/enforcement":"e-1/f"}}}`)},
		{"a stateful set to zero", setScale(0)},
		{"and back", setScale(3)},
		{"suspend a cron job", cron(`{"spec":{"suspend":true}}`)},
		{"resume it", cron(`{"spec":{"suspend":false}}`)},
		{"our annotation on a cron job", cron(`{"metadata":{"annotations":{"k8guard.io/enforcement":"e-1/f"}}}`)},
		{"to zero", scale(h.ns, "web", 0)},
		{"back from zero", scale(h.ns, "web", 3)},
		{"a marked ingress", create(h.ns, marked)},
		{"delete an ingress", p.client.NetworkingV1().Ingresses(h.ns).Delete(t.Context(), "made", metav1.DeleteOptions{})},
	} {
		if row.err != nil {
			t.Errorf("%s: %v", row.name, row.err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func (p *plane) ingressIn(t *testing.T, namespace string) string {
	t.Helper()
	return must(p.admin.NetworkingV1().Ingresses(namespace).Create(t.Context(), ingress("own", "own.example"), metav1.CreateOptions{})).Name
}

// preflightRefuses changes, one at a time, what enforcement must not start without.
func preflightRefuses(t *testing.T, p *plane) {
	h := newHouse(t, p)
	e := h.process("first", nil)
	ctx := t.Context()
	if err := e.Preflight(ctx, p.discover); err != nil {
		t.Fatalf("with everything as shipped: %v", err)
	}
	wantRefusal := func(name, part string, err error) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%s: want a refusal with %q, got %v", name, part, err)
		}
	}
	wantRefusal("one account", "one account", e.Preflight(ctx, p.client))
	admin := enforce.New(enforce.Settings{Client: p.admin, Engine: h.engine})
	wantRefusal("an account that no policy holds", "do not hold", admin.Preflight(ctx, p.discover))
	for _, name := range []string{"k8guard-action-objects", "k8guard-action-scale", "k8guard-action-ingresses"} {
		t.Run(name, func(t *testing.T) {
			preflightOf(t, p, name, func() error { return e.Preflight(t.Context(), p.discover) }, wantRefusal)
		})
	}
}

func preflightOf(t *testing.T, p *plane, name string, preflight func() error, wantRefusal func(name, part string, err error)) {
	ctx := t.Context()
	policies := p.admin.AdmissionregistrationV1().ValidatingAdmissionPolicies()
	bindings := p.admin.AdmissionregistrationV1().ValidatingAdmissionPolicyBindings()
	again := func() {
		p.apply(t, "admission.yaml")
		if err := preflight(); err != nil {
			t.Errorf("applied again: %v", err)
		}
		p.awaitPolicies(t)
	}
	for what, alter := range map[string]func(*admissionv1.ValidatingAdmissionPolicySpec){
		"expression": func(s *admissionv1.ValidatingAdmissionPolicySpec) { s.Validations[0].Expression = "true" },
		"condition":  func(s *admissionv1.ValidatingAdmissionPolicySpec) { s.MatchConditions[0].Expression = "false" },
		"fail open":  func(s *admissionv1.ValidatingAdmissionPolicySpec) { i := admissionv1.Ignore; s.FailurePolicy = &i },
		"operations": func(s *admissionv1.ValidatingAdmissionPolicySpec) {
			s.MatchConstraints.ResourceRules[0].Operations = []admissionv1.OperationType{"CONNECT"}
		},
		"exclusion": func(s *admissionv1.ValidatingAdmissionPolicySpec) {
			s.MatchConstraints.ExcludeResourceRules = s.MatchConstraints.ResourceRules[:1]
		},
		"namespaces": func(s *admissionv1.ValidatingAdmissionPolicySpec) {
			s.MatchConstraints.NamespaceSelector = &metav1.LabelSelector{MatchLabels: map[string]string{"a": "b"}}
		},
		"equivalence": func(s *admissionv1.ValidatingAdmissionPolicySpec) {
			e := admissionv1.Exact
			s.MatchConstraints.MatchPolicy = &e
		},
		"variables": func(s *admissionv1.ValidatingAdmissionPolicySpec) {
			s.Variables = append(s.Variables, admissionv1.Variable{Name: "more", Expression: "{}"})
		},
	} {
		eventually(t, what, func() bool {
			policy := must(policies.Get(ctx, name, metav1.GetOptions{}))
			alter(&policy.Spec)
			_, err := policies.Update(ctx, policy, metav1.UpdateOptions{})
			return err == nil
		})
		wantRefusal(name+": "+what, name+" differs", preflight())
		shippedSpec(t, p, name)
	}
	again()
	for what, alter := range map[string]func(*admissionv1.ValidatingAdmissionPolicyBindingSpec){
		"warns": func(s *admissionv1.ValidatingAdmissionPolicyBindingSpec) {
			s.ValidationActions = []admissionv1.ValidationAction{"Warn"}
		},
		"audits": func(s *admissionv1.ValidatingAdmissionPolicyBindingSpec) {
			s.ValidationActions = []admissionv1.ValidationAction{"Audit"}
		},
		"somewhere": func(s *admissionv1.ValidatingAdmissionPolicyBindingSpec) {
			s.MatchResources = &admissionv1.MatchResources{NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"a": "b"}}}
		},
	} {
		binding := must(bindings.Get(ctx, name, metav1.GetOptions{}))
		was := *binding.Spec.DeepCopy()
		alter(&binding.Spec)
		binding = must(bindings.Update(ctx, binding, metav1.UpdateOptions{}))
		wantRefusal(name+" binding: "+what, "does not deny everywhere", preflight())
		binding.Spec = was
		must(bindings.Update(ctx, binding, metav1.UpdateOptions{}))
	}
	if err := bindings.Delete(ctx, name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	wantRefusal(name+": no binding", "not found", preflight())
	if err := policies.Delete(ctx, name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	wantRefusal(name+": no policy", "not found", preflight())
	again()
}

// shippedSpec puts a policy back; its status may change meanwhile.
func shippedSpec(t *testing.T, p *plane, name string) {
	t.Helper()
	api := p.admin.AdmissionregistrationV1().ValidatingAdmissionPolicies()
	policies, _, err := deploy.Admission()
	for _, want := range must(policies, err) {
		if want.Name != name {
			continue
		}
		eventually(t, "the policy is as shipped", func() bool {
			have := must(api.Get(t.Context(), name, metav1.GetOptions{}))
			have.Spec = want.Spec
			_, err := api.Update(t.Context(), have, metav1.UpdateOptions{})
			return err == nil
		})
	}
}
