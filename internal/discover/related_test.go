package discover

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/utils/ptr"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/cluster"
	"github.com/k8guard/k8guard/internal/rule"
	"github.com/k8guard/k8guard/internal/rule/availability"
	"github.com/k8guard/k8guard/internal/rule/image"
	"github.com/k8guard/k8guard/internal/rule/required"
)

// wide is an engine whose rules look at other objects too.
func wide(t *testing.T) func(*Settings) {
	t.Helper()
	entities, err := required.Entities([]string{"shop:resourcequota:*:default", "*:namespace:*:monitoring", "shop:deployment:*:proxy"})
	if err != nil {
		t.Fatal(err)
	}
	size, err := image.Size(image.SizeParams{Limit: "1G"})
	if err != nil {
		t.Fatal(err)
	}
	engine := bad(t, append([]rule.Rule{availability.SingleReplica(), size}, entities...)...)
	return func(s *Settings) { s.Engine, s.IgnoreNamespaces = engine, []string{"kube-system"} }
}

// state is the newest word of one rule about a root.
func (r *recorder) state(kind, name, id string) v1.VerdictState {
	o, _ := r.of(kind, name)
	for _, v := range o.Verdicts {
		if v.Rule == id {
			return v.State
		}
	}
	return ""
}

func single(name string, replicas int32) *appsv1.Deployment {
	selector := &metav1.LabelSelector{MatchLabels: map[string]string{"app": name}}
	return &appsv1.Deployment{ObjectMeta: meta("shop", name, nil, nil), Spec: appsv1.DeploymentSpec{Replicas: ptr.To(replicas),
		Selector: selector, Template: corev1.PodTemplateSpec{Spec: spec("good")}}}
}

func scalerOf(name string, minimum int32) *autoscalingv2.HorizontalPodAutoscaler {
	return &autoscalingv2.HorizontalPodAutoscaler{ObjectMeta: meta("shop", name+"-hpa", nil, nil), Spec: autoscalingv2.HorizontalPodAutoscalerSpec{
		ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: name}, MinReplicas: &minimum, MaxReplicas: 9}}
}

func namespaceNamed(name string) *corev1.Namespace {
	return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID("ns-" + name), ResourceVersion: "1"}}
}

func node(size int64) *corev1.Node {
	return &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "a", UID: "node-a", ResourceVersion: "1"}, Status: corev1.NodeStatus{
		Images: []corev1.ContainerImage{{Names: []string{"registry.example/x@sha256:1"}, SizeBytes: size}}}}
}

func TestWhatRelatesObjectsFollowsEachOfThem(t *testing.T) {
	pod := &corev1.Pod{ObjectMeta: meta("shop", "p", nil, nil), Spec: spec("registry.example/x"),
		Status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{Name: "main", ImageID: "registry.example/x@sha256:1"}}}}
	pod.Spec.NodeName = "a"
	client := fake.NewClientset(namespaceNamed("shop"), namespaceNamed("kube-system"), single("web", 1), pod, node(2e9))
	_, r := run(t, client, nil, wide(t))
	says := func(kind, name, id string, want v1.VerdictState) {
		t.Helper()
		eventually(t, kind+"/"+name+" "+id+" "+string(want), 5*time.Second, func() bool { return r.state(kind, name, id) == want })
	}
	ctx := t.Context()
	says("Deployment", "web", "SINGLE_REPLICA", v1.Violated)
	says("Pod", "p", "IMAGE_SIZE", v1.Violated)
	says("Namespace", "shop", "REQUIRED_RESOURCE_QUOTA", v1.Violated)
	says("Namespace", "shop", "REQUIRED_DEPLOYMENTS", v1.Violated)
	says("Namespace", "kube-system", "REQUIRED_NAMESPACES", v1.Violated)
	if o, _ := r.of("Namespace", "kube-system"); len(o.Verdicts) != 1 {
		t.Errorf("kube-system is ignored, and stands for what the cluster lacks; it says %+v", o.Verdicts)
	}
	// Each goes as what it looks at comes, and comes again as that goes.
	hpa := must(client.AutoscalingV2().HorizontalPodAutoscalers("shop").Create(ctx, scalerOf("web", 2), metav1.CreateOptions{}))
	says("Deployment", "web", "SINGLE_REPLICA", v1.Pass)
	hpa.Spec.MinReplicas, hpa.ResourceVersion = ptr.To[int32](1), "2"
	must(client.AutoscalingV2().HorizontalPodAutoscalers("shop").Update(ctx, hpa, metav1.UpdateOptions{}))
	says("Deployment", "web", "SINGLE_REPLICA", v1.Violated)
	smaller := node(1e6)
	smaller.ResourceVersion = "2"
	must(client.CoreV1().Nodes().Update(ctx, smaller, metav1.UpdateOptions{}))
	says("Pod", "p", "IMAGE_SIZE", v1.Pass)
	if err := client.CoreV1().Nodes().Delete(ctx, "a", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	says("Pod", "p", "IMAGE_SIZE", v1.Unknown)
	must(client.CoreV1().ResourceQuotas("shop").Create(ctx, &corev1.ResourceQuota{ObjectMeta: meta("shop", "default", nil, nil)}, metav1.CreateOptions{}))
	says("Namespace", "shop", "REQUIRED_RESOURCE_QUOTA", v1.Pass)
	if err := client.CoreV1().ResourceQuotas("shop").Delete(ctx, "default", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	says("Namespace", "shop", "REQUIRED_RESOURCE_QUOTA", v1.Violated)
	must(client.AppsV1().Deployments("shop").Create(ctx, single("proxy", 2), metav1.CreateOptions{}))
	says("Namespace", "shop", "REQUIRED_DEPLOYMENTS", v1.Pass)
	must(client.CoreV1().Namespaces().Create(ctx, namespaceNamed("monitoring"), metav1.CreateOptions{}))
	says("Namespace", "kube-system", "REQUIRED_NAMESPACES", v1.Pass)
}

// The right to list autoscalers revoked alone: what needs them is unknown, the rest stands.
func TestAKindThatMayNoLongerBeReadIsUnknown(t *testing.T) {
	client := fake.NewClientset(namespaceNamed("shop"), single("web", 1))
	var denied atomic.Bool
	denied.Store(true)
	refuse := func(clienttesting.Action) (bool, runtime.Object, error) {
		if !denied.Load() {
			return false, nil, nil
		}
		return true, nil, apierrors.NewForbidden(schema.GroupResource{Group: "autoscaling", Resource: "horizontalpodautoscalers"}, "", errors.New("revoked"))
	}
	client.PrependReactor("list", "horizontalpodautoscalers", refuse)
	_, r := run(t, client, nil, wide(t))
	eventually(t, "unknown while it is denied", 5*time.Second, func() bool {
		return r.state("Deployment", "web", "SINGLE_REPLICA") == v1.Unknown && r.state("Namespace", "shop", "REQUIRED_RESOURCE_QUOTA") == v1.Violated
	})
	denied.Store(false)
	eventually(t, "judged when it is granted", 20*time.Second, func() bool { return r.state("Deployment", "web", "SINGLE_REPLICA") == v1.Violated })
}

// What a team may own a namespace by is there when its owner is asked for.
func TestTheOwnerIsAskedWithTheNamespacesLabels(t *testing.T) {
	shop := namespaceNamed("shop")
	shop.Labels = map[string]string{"tier": "prod"}
	var asked atomic.Value
	_, r := run(t, fake.NewClientset(shop, single("bad-web", 1)), nil, func(s *Settings) {
		s.Owners = func(namespace, _ *cluster.Record) (v1.Owner, map[string]v1.Owner) {
			if namespace != nil {
				asked.Store(namespace.Judgement.Labels["tier"])
			}
			return v1.Owner{}, nil
		}
	})
	eventually(t, "an inventory", 5*time.Second, func() bool { kinds, _, _ := r.inventory(); return len(kinds) > 0 })
	if asked.Load() != "prod" {
		t.Errorf("asked with the label %v", asked.Load())
	}
}
