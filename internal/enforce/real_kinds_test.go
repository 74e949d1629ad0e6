package enforce_test

import (
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/k8guard/k8guard/internal/docket"
)

// statefulSet makes a privileged one with 3 replicas beside the others, and seeds its docket.
func (h *house) statefulSet(change func(*appsv1.StatefulSet)) {
	h.t.Helper()
	d := deployment("web")
	s := &appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Name: "web"}, Spec: appsv1.StatefulSetSpec{
		Replicas: d.Spec.Replicas, ServiceName: "web", PodManagementPolicy: appsv1.ParallelPodManagement,
		Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"set": "web"}}, Template: d.Spec.Template}}
	s.Spec.Template.Labels = map[string]string{"set": "web"}
	if change != nil {
		change(s)
	}
	sets := h.p.admin.AppsV1().StatefulSets(h.ns)
	must(sets.Create(h.t.Context(), s, metav1.CreateOptions{}))
	eventually(h.t, "it is at rest", func() bool {
		s = must(sets.Get(h.t.Context(), "web", metav1.GetOptions{}))
		return s.Status.ObservedGeneration == s.Generation && s.Status.Replicas == 3 && s.Status.UpdatedReplicas == 3 && s.Status.UpdateRevision != ""
	})
	h.seed(s)
}

func (h *house) replicaSet() {
	h.t.Helper()
	d := deployment("web")
	d.Spec.Template.Labels = map[string]string{"bare": "web"}
	sets := h.p.admin.AppsV1().ReplicaSets(h.ns)
	s := must(sets.Create(h.t.Context(), &appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{Name: "web"}, Spec: appsv1.ReplicaSetSpec{
		Replicas: d.Spec.Replicas, Selector: &metav1.LabelSelector{MatchLabels: d.Spec.Template.Labels}, Template: d.Spec.Template}}, metav1.CreateOptions{}))
	eventually(h.t, "it is at rest", func() bool {
		s = must(sets.Get(h.t.Context(), "web", metav1.GetOptions{}))
		return s.Status.ObservedGeneration == s.Generation && s.Status.Replicas == 3 && s.Status.FullyLabeledReplicas == 3
	})
	h.seed(s)
}

func kindTests() map[string]func(*testing.T, *plane) {
	return map[string]func(*testing.T, *plane){
		"stateful-set": statefulSetAndBack, "replica-set": replicaSetAndBack,
		"stateful-set-settled": statefulSetSettled, "stateful-set-before": statefulSetBefore, "stateful-set-autoscaled": statefulSetAutoscaled,
		"single-replica": singleReplica, "single-replica-autoscaled": singleReplicaAutoscaled,
		"cron-job": cronJobAndBack, "job": jobAndBack, "job-runs": jobRuns, "job-queued": jobQueued, "cron-job-resumed": cronJobResumed,
		"cron-job-settled": cronJobSettled, "cron-job-before": cronJobBefore, "cron-job-changed": cronJobChanged,
	}
}

func (h *house) ofSet(name string) int32 {
	h.t.Helper()
	if name == "statefulsets" {
		return *must(h.p.admin.AppsV1().StatefulSets(h.ns).Get(h.t.Context(), "web", metav1.GetOptions{})).Spec.Replicas
	}
	return *must(h.p.admin.AppsV1().ReplicaSets(h.ns).Get(h.t.Context(), "web", metav1.GetOptions{})).Spec.Replicas
}

func (h *house) thereAndBack(resource string) {
	h.t.Helper()
	h.act(nil)
	d := h.wantState(docket.Done)
	if n := h.ofSet(resource); n != 0 || *d.Enforcement.Prior.Replicas != 3 {
		h.t.Errorf("%d replicas, %d before", n, *d.Enforcement.Prior.Replicas)
	}
	if _, err := h.process("first", nil).Undo(h.t.Context(), h.key, docket.Undo{By: "alice", Reason: "needed"}); err != nil {
		h.t.Fatal(err)
	}
	h.wantState(docket.Undid)
	if n := h.ofSet(resource); n != 3 {
		h.t.Errorf("back at %d replicas", n)
	}
	h.wantWrites("patch "+resource+"/scale", "update "+resource+"/scale")
}

func statefulSetAndBack(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.statefulSet(nil)
	h.thereAndBack("statefulsets")
}

func replicaSetAndBack(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.replicaSet()
	h.thereAndBack("replicasets")
}

// statefulSetLosesClaims: its volumes would be gone with its replicas, for good.
func statefulSetLosesClaims(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.statefulSet(func(s *appsv1.StatefulSet) {
		s.Spec.PersistentVolumeClaimRetentionPolicy = &appsv1.StatefulSetPersistentVolumeClaimRetentionPolicy{
			WhenScaled: appsv1.DeletePersistentVolumeClaimRetentionPolicyType}
	})
	h.act(nil)
	h.wantRefused(3, "volumes are deleted")
	if n := h.ofSet("statefulsets"); n != 3 {
		t.Errorf("%d replicas", n)
	}
	h.wantWrites()
}

// statefulSetSettled: the answer to the act is lost; another process sees it done.
func statefulSetSettled(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.statefulSet(nil)
	h.dies(dieAfter)
	h.settle(nil)
	h.wantState(docket.Done)
	h.wantWrites("patch statefulsets/scale")
}

// statefulSetBefore: nothing was sent; it is fenced, by its annotation alone.
func statefulSetBefore(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.statefulSet(nil)
	h.dies(dieBefore)
	h.settle(nil)
	h.wantRefused(7, "touched")
	if n := h.ofSet("statefulsets"); n != 3 {
		t.Errorf("%d replicas", n)
	}
	h.wantWrites("patch statefulsets")
}

// lone is a deployment that is clean but for its one replica, and a policy that names the rule.
func (h *house) lone() {
	h.policy.Match.Rules = []string{"SINGLE_REPLICA"}
	h.deploy(func(d *appsv1.Deployment) {
		d.Spec.Replicas = ptr.To[int32](1)
		d.Spec.Template.Spec.Containers[0].SecurityContext = nil
	})
}

// singleReplica: what the rule looks up is read again at the edge.
func singleReplica(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.lone()
	h.act(nil)
	h.wantState(docket.Done)
	h.wantReplicas(0)
}

// singleReplicaAutoscaled: an autoscaler came since; the rule does not find it single any more.
func singleReplicaAutoscaled(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.lone()
	manifest := `{"apiVersion":"autoscaling/v2","kind":"HorizontalPodAutoscaler","metadata":{"name":"web"},
		"spec":{"minReplicas":2,"maxReplicas":5,"scaleTargetRef":{"apiVersion":"apps/v1","kind":"Deployment","name":"web"}}}`
	must(p.admin.AutoscalingV2().RESTClient().Post().Namespace(h.ns).Resource("horizontalpodautoscalers").
		SetHeader("Content-Type", "application/json").Body([]byte(manifest)).DoRaw(t.Context()))
	h.act(nil)
	if d := h.docket(); d.Refusal == nil || d.Refusal.Rule != 13 && d.Refusal.Rule != 6 {
		t.Errorf("refusal %+v", d.Refusal)
	}
	h.wantWrites() // the autoscaler may have written by now; K8Guard did not
}

func statefulSetAutoscaled(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.statefulSet(nil)
	manifest := `{"apiVersion":"autoscaling/v2","kind":"HorizontalPodAutoscaler","metadata":{"name":"web"},
		"spec":{"minReplicas":3,"maxReplicas":5,"scaleTargetRef":{"apiVersion":"apps/v1","kind":"StatefulSet","name":"web"}}}`
	must(p.admin.AutoscalingV2().RESTClient().Post().Namespace(h.ns).Resource("horizontalpodautoscalers").
		SetHeader("Content-Type", "application/json").Body([]byte(manifest)).DoRaw(t.Context()))
	h.act(nil)
	if d := h.docket(); d.Refusal == nil || d.Refusal.Rule != 13 || !strings.Contains(d.Refusal.Text, "web") {
		t.Errorf("refusal %+v", d.Refusal)
	}
	h.wantWrites()
}
