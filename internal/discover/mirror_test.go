package discover

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"

	v1 "github.com/k8guard/k8guard/api/v1"
)

func mirror(uid, owner string) *corev1.Pod {
	m := meta("shop", "etcd-a", nil, claim("Node", owner, "node-a"))
	m.UID, m.Annotations = types.UID(uid), map[string]string{corev1.MirrorPodAnnotationKey: "hash"}
	p := &corev1.Pod{ObjectMeta: m, Spec: spec("bad:1")}
	p.Spec.NodeName = "a"
	return p
}

// A kubelet that restarts shows its static pods under new UIDs: they are what they were.
func TestAMirrorPodIsKnownByItsNodeAndName(t *testing.T) {
	client := fake.NewClientset(mirror("first", "a"))
	_, r := run(t, client, nil)
	root := func() string { o, _ := r.of("Pod", "etcd-a"); return o.Root.UID }
	eventually(t, "the mirror pod is told of", 5*time.Second, func() bool { return root() == "mirror:a/shop/etcd-a" })
	pods := client.CoreV1().Pods("shop")
	if err := pods.Delete(t.Context(), "etcd-a", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is gone", 5*time.Second, func() bool { o, _ := r.of("Pod", "etcd-a"); return o.State == v1.Gone })
	must(pods.Create(t.Context(), mirror("second", "a"), metav1.CreateOptions{}))
	eventually(t, "and back, as the same", 5*time.Second, func() bool {
		o, _ := r.of("Pod", "etcd-a")
		return o.State == v1.Live && root() == "mirror:a/shop/etcd-a"
	})
	if r.mu.Lock(); len(r.latest) != 1 {
		t.Errorf("%d roots were told of, want one", len(r.latest))
	}
	r.mu.Unlock()
	// The mark alone makes no mirror pod.
	_, forged := run(t, fake.NewClientset(mirror("third", "another")), nil)
	eventually(t, "a forged one keeps its UID", 5*time.Second, func() bool { o, _ := forged.of("Pod", "etcd-a"); return o.Root.UID == "third" })
}
