package discover

import (
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/utils/ptr"

	v1 "github.com/k8guard/k8guard/api/v1"
)

// A spec that changed and changed back before it was looked at is told of, and once more
// when an act has settled; a clean Deployment's change costs nothing.
func TestAChangeThatLeavesNoTraceIsTold(t *testing.T) {
	of := func(name, image string, generation int64) *appsv1.Deployment {
		d := &appsv1.Deployment{ObjectMeta: meta("shop", name, nil, nil), Spec: appsv1.DeploymentSpec{
			Replicas: ptr.To(int32(3)), Template: corev1.PodTemplateSpec{Spec: spec(image)}}}
		d.Generation = generation
		return d
	}
	client := fake.NewClientset(
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop", UID: "ns"}}, of("dirty", "bad", 1), of("clean", "good", 1))
	const settles = 300 * time.Millisecond
	_, r := run(t, client, nil, func(s *Settings) { s.Again = settles })
	eventually(t, "the first word", 5*time.Second, func() bool { return r.published("shop-dirty") == 1 })
	eventually(t, "both are known", 5*time.Second, func() bool { _, roots, _ := r.inventory(); return len(roots) == 3 })
	time.Sleep(2 * settles)
	if n := r.published("shop-dirty"); n != 1 {
		t.Fatalf("%d observations though nothing changed", n)
	}
	for _, d := range []*appsv1.Deployment{of("dirty", "bad", 3), of("clean", "good", 3)} {
		if _, err := client.AppsV1().Deployments("shop").Update(t.Context(), d, metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "the change and a second look", 5*time.Second, func() bool { return r.published("shop-dirty") == 3 })
	if at := r.times("shop-dirty"); at[2].Sub(at[1]) < settles {
		t.Errorf("the second look came after %s", at[2].Sub(at[1]))
	}
	time.Sleep(2 * settles)
	if n, clean := r.published("shop-dirty"), r.published("shop-clean"); n != 3 || clean != 0 {
		t.Errorf("%d observations of the dirty one, %d of the clean one", n, clean)
	}
}

func (r *recorder) times(uid string) (at []time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range r.all {
		if o := m.Observation; o != nil && o.State == v1.Live && o.Root.UID == uid {
			at = append(at, o.At)
		}
	}
	return at
}
