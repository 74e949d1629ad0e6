package enforce_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/utils/ptr"

	"github.com/k8guard/k8guard/internal/enforce"
	"github.com/k8guard/k8guard/tools/controlplane"
	"github.com/k8guard/k8guard/tools/controlplane/audit"
	"github.com/k8guard/k8guard/tools/controlplane/controlplanetest"
)

// plane is the control plane that all tests share, with the shipped account and policies.
type plane struct {
	cluster  *controlplane.Cluster
	admin    kubernetes.Interface
	client   kubernetes.Interface // the shipped account
	discover kubernetes.Interface // discover's account
	account  *rest.Config
	uid      string
}

func shipped(name string) string { return filepath.Join("..", "..", "deploy", name) }

func newPlane(t *testing.T) *plane {
	t.Helper()
	start := time.Now()
	c := controlplanetest.StartWith(t, controlplane.Options{WithoutKwok: true})
	t.Logf("control plane up after %s", time.Since(start).Round(time.Millisecond))
	p := &plane{cluster: c, admin: must(kubernetes.NewForConfig(must(c.RESTConfig())))}
	p.apply(t, "rbac-discover.yaml", "rbac-action.yaml", "admission.yaml", "permit.yaml")
	p.account = p.as(t, "k8guard-action")
	p.client = must(kubernetes.NewForConfig(p.account))
	p.discover = must(kubernetes.NewForConfig(p.as(t, "k8guard-discover")))
	p.uid = string(must(p.admin.CoreV1().Namespaces().Get(t.Context(), "kube-system", metav1.GetOptions{})).UID)
	start = time.Now()
	p.awaitPolicies(t)
	t.Logf("admission policies in effect after %s", time.Since(start).Round(time.Millisecond))
	return p
}

func (p *plane) apply(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		if err := p.cluster.Apply(t.Context(), shipped(name)); err != nil {
			t.Fatal(err)
		}
	}
}

func (p *plane) as(t *testing.T, serviceAccount string) *rest.Config {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := p.cluster.AccountKubeconfig(t.Context(), "k8guard", serviceAccount, path); err != nil {
		t.Fatal(err)
	}
	c := must(clientcmd.BuildConfigFromFlags("", path))
	c.QPS = -1
	return c
}

// awaitPolicies waits until each of the three policies denies: the API server learns of a
// policy and of a binding a moment after they are written, also when they come back.
func (p *plane) awaitPolicies(t *testing.T) {
	t.Helper()
	dry := []string{metav1.DryRunAll}
	d := must(p.admin.AppsV1().Deployments("default").Create(t.Context(), deployment("probe"), metav1.CreateOptions{}))
	eventually(t, "all policies deny", func() bool {
		_, image := p.client.AppsV1().Deployments("default").Patch(t.Context(), "probe", "application/merge-patch+json",
			[]byte(`{"metadata":{"labels":{"a":"b"}}}`), metav1.PatchOptions{DryRun: dry})
		_, five := p.client.AppsV1().Deployments("default").UpdateScale(t.Context(), "probe", &autoscalingv1.Scale{
			ObjectMeta: metav1.ObjectMeta{Name: "probe", Namespace: "default"}, Spec: autoscalingv1.ScaleSpec{Replicas: 5}}, metav1.UpdateOptions{DryRun: dry})
		_, made := p.client.NetworkingV1().Ingresses("default").Create(t.Context(), ingress("probe", "probe.example"), metav1.CreateOptions{DryRun: dry})
		return deniedBy(image, "k8guard-action-objects") && deniedBy(five, "k8guard-action-scale") && deniedBy(made, "k8guard-action-ingresses")
	})
	if err := p.admin.AppsV1().Deployments("default").Delete(t.Context(), d.Name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
}

func deniedBy(err error, policy string) bool {
	return err != nil && strings.Contains(err.Error(), policy)
}

// reset gives back what a test before may have changed for all: the Lease and the permit.
func (p *plane) reset(t *testing.T) {
	t.Helper()
	p.permit(t, "enabled")
	p.lease(t, nil)
}

func (p *plane) permit(t *testing.T, value string) {
	t.Helper()
	maps := p.admin.CoreV1().ConfigMaps("k8guard")
	want := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "k8guard-permit"}, Data: map[string]string{"enforcement": value}}
	if _, err := maps.Update(t.Context(), want, metav1.UpdateOptions{}); apierrors.IsNotFound(err) {
		must(maps.Create(t.Context(), want, metav1.CreateOptions{}))
	} else if err != nil {
		t.Fatal(err)
	}
}

func (p *plane) lease(t *testing.T, annotations map[string]string) {
	t.Helper()
	lease := must(p.admin.CoordinationV1().Leases("k8guard").Get(t.Context(), enforce.LeaseName, metav1.GetOptions{}))
	lease.Annotations = annotations
	must(p.admin.CoordinationV1().Leases("k8guard").Update(t.Context(), lease, metav1.UpdateOptions{}))
}

// writes returns what the account has written in a namespace, dry runs aside, judged by the
// audit log. A last refused write of its own shows that the log is complete.
func (p *plane) writes(t *testing.T, namespace string) []audit.Event {
	t.Helper()
	mark := "mark-" + strings.ReplaceAll(time.Now().Format("150405.000000000"), ".", "-")
	if err := p.client.CoreV1().Secrets(namespace).Delete(t.Context(), mark, metav1.DeleteOptions{}); !apierrors.IsForbidden(err) {
		t.Fatalf("the account may delete secrets: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	marked := func(e audit.Event) bool { return e.ObjectRef.Name == mark }
	events, err := audit.Wait(ctx, p.cluster.AuditLog(), func(events []audit.Event) bool {
		for i := len(events) - 1; i >= max(0, len(events)-50); i-- {
			if marked(events[i]) {
				return true
			}
		}
		return false
	})
	if err != nil {
		t.Fatal(err)
	}
	var found []audit.Event
	for _, e := range audit.Writes(events, enforce.Account) {
		if e.ObjectRef.Namespace == namespace && e.ObjectRef.Resource != "secrets" && e.ObjectRef.Resource != "events" && !strings.Contains(e.RequestURI, "dryRun") &&
			!bytes.Contains(e.RequestObject, []byte(`"dryRun":["All"]`)) {
			found = append(found, e)
		}
	}
	return found
}

func deployment(name string) *appsv1.Deployment {
	labels := map[string]string{"app": name}
	return &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}, Spec: appsv1.DeploymentSpec{
		Replicas: ptr.To[int32](3), Selector: &metav1.LabelSelector{MatchLabels: labels},
		Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: corev1.PodSpec{Containers: []corev1.Container{{
			Name: "main", Image: "registry.example/web:1", SecurityContext: &corev1.SecurityContext{Privileged: ptr.To(true)}}}}}}}
}

func ingress(name, host string) *networkingv1.Ingress {
	return &networkingv1.Ingress{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"app": name}, Annotations: map[string]string{"example.org/note": "keep <me>"}},
		Spec: networkingv1.IngressSpec{Rules: []networkingv1.IngressRule{{Host: host, IngressRuleValue: networkingv1.IngressRuleValue{
			HTTP: &networkingv1.HTTPIngressRuleValue{Paths: []networkingv1.HTTPIngressPath{{Path: "/", PathType: ptr.To(networkingv1.PathTypePrefix),
				Backend: networkingv1.IngressBackend{Service: &networkingv1.IngressServiceBackend{Name: "web", Port: networkingv1.ServiceBackendPort{Number: 80}}}}}}}}}}}
}

func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if done() {
			return
		}
	}
	t.Fatalf("not within a minute: %s", what)
}

var errCut = errors.New("the line was cut")

// wire stands between an Enforcer and the API server. Its hooks see each request and may
// run before it, in place of it, or between the server's work and the answer.
type wire struct {
	mu     sync.Mutex
	before func(*http.Request) error
	after  func(*http.Request, *http.Response) (*http.Response, error)
	next   http.RoundTripper
}

func (w *wire) around(next http.RoundTripper) http.RoundTripper {
	w.next = next
	return w
}

// RoundTrip implements http.RoundTripper.
func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	before, after := w.before, w.after
	w.mu.Unlock()
	if before != nil {
		if err := before(r); err != nil {
			return nil, err
		}
	}
	answer, err := w.next.RoundTrip(r)
	if err != nil || after == nil {
		return answer, err
	}
	return after(r, answer)
}

// real reports whether a request would change the object itself: no read, no dry run, no Lease.
func real(r *http.Request) bool {
	return r.Method != http.MethodGet && !dry(r) && !strings.Contains(r.URL.Path, "/leases/")
}

// dry reports whether a request is a dry run; a deletion says so in its body.
func dry(r *http.Request) bool {
	if strings.Contains(r.URL.RawQuery, "dryRun") {
		return true
	}
	if r.Method != http.MethodDelete || r.GetBody == nil {
		return false
	}
	body, err := io.ReadAll(must(r.GetBody()))
	return err == nil && bytes.Contains(body, []byte("dryRun")) || bytes.Contains(body, []byte("All"))
}

// scaling reports whether a request is the hard action on a deployment.
func scaling(r *http.Request) bool { return real(r) && strings.HasSuffix(r.URL.Path, "/scale") }

func unavailable(r *http.Request) *http.Response {
	return &http.Response{StatusCode: http.StatusServiceUnavailable, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Retry-After": {"0"}}, Body: io.NopCloser(bytes.NewReader(nil))}
}
