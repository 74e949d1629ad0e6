package enforce

import (
	"context"
	"errors"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/docket"
)

// around reads what depends on a workload. An ingress serves nothing of the cluster, is
// in no disruption budget and has no autoscaler.
func (e *Enforcer) around(ctx context.Context, d docket.Docket) Around {
	if !scaled(d.Root.Kind) {
		return Around{}
	}
	o, err := e.workload(ctx, d.Root)
	if err != nil {
		return Around{Err: err}
	}
	var a Around
	var errs [3]error
	a.Serves, errs[0] = e.serves(ctx, o)
	a.Disruption, errs[1] = e.disruption(ctx, o)
	a.Autoscalers, errs[2] = e.autoscalers(ctx, d.Root)
	a.Err = errors.Join(errs[:]...)
	return a
}

// serves names the registrations whose Service selects the workload's pods.
func (e *Enforcer) serves(ctx context.Context, o workload) ([]string, error) {
	registered, err := e.registrations(ctx)
	if err != nil {
		return nil, err
	}
	var found []string
	for _, r := range registered {
		if r.namespace != o.meta.Namespace {
			continue
		}
		svc, err := e.Client.CoreV1().Services(r.namespace).Get(ctx, r.service, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("service %s/%s of %s: %w", r.namespace, r.service, r.by, err)
		}
		if len(svc.Spec.Selector) > 0 && o.mayBeSelected(metav1.SetAsLabelSelector(svc.Spec.Selector)) {
			found = append(found, r.by)
		}
	}
	slices.Sort(found)
	return slices.Compact(found), nil
}

// registration is a Service that the API server itself calls.
type registration struct{ by, namespace, service string }

func (e *Enforcer) registrations(ctx context.Context) ([]registration, error) {
	var out []registration
	validating, err := e.Client.AdmissionregistrationV1().ValidatingWebhookConfigurations().List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	for _, c := range validating.Items {
		for _, w := range c.Webhooks {
			if s := w.ClientConfig.Service; s != nil {
				out = append(out, registration{"validating webhook " + c.Name, s.Namespace, s.Name})
			}
		}
	}
	mutating, err := e.Client.AdmissionregistrationV1().MutatingWebhookConfigurations().List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	for _, c := range mutating.Items {
		for _, w := range c.Webhooks {
			if s := w.ClientConfig.Service; s != nil {
				out = append(out, registration{"mutating webhook " + c.Name, s.Namespace, s.Name})
			}
		}
	}
	for _, from := range []struct {
		resource schema.GroupVersionResource
		by       string
		path     []string
	}{
		{schema.GroupVersionResource{Group: "apiregistration.k8s.io", Version: "v1", Resource: "apiservices"}, "APIService", []string{"spec", "service"}},
		{schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}, "conversion of", []string{"spec", "conversion", "webhook", "clientConfig", "service"}},
	} {
		list, err := e.Dynamic.Resource(from.resource).List(ctx, metav1.ListOptions{})
		if err != nil {
			return nil, err
		}
		for _, item := range list.Items {
			if s, ok, _ := unstructured.NestedStringMap(pick(item.Object, from.path), "service"); ok {
				out = append(out, registration{from.by + " " + item.GetName(), s["namespace"], s["name"]})
			}
		}
	}
	return out, nil
}

// pick returns {"service": {namespace, name}} with only its strings, as the port is a number.
func pick(object map[string]any, path []string) map[string]any {
	s, ok, _ := unstructured.NestedMap(object, path...)
	if !ok {
		return map[string]any{}
	}
	return map[string]any{"service": map[string]any{"namespace": s["namespace"], "name": s["name"]}}
}

func (e *Enforcer) disruption(ctx context.Context, o workload) ([]string, error) {
	list, err := e.Client.PolicyV1().PodDisruptionBudgets(o.meta.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	var found []string
	for _, p := range list.Items {
		if o.mayBeSelected(p.Spec.Selector) {
			found = append(found, p.Name)
		}
	}
	return found, nil
}

func (e *Enforcer) autoscalers(ctx context.Context, root v1.Root) ([]string, error) {
	list, err := e.Client.AutoscalingV2().HorizontalPodAutoscalers(root.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	var found []string
	for _, h := range list.Items {
		if h.Spec.ScaleTargetRef.Kind == root.Kind && h.Spec.ScaleTargetRef.Name == root.Name {
			found = append(found, h.Name)
		}
	}
	return found, nil
}
