package discover

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"

	v1 "github.com/k8guard/k8guard/api/v1"
)

// What roots that come and go have in common is said with each; also of a pod whose claim to a
// controller is forged.
func TestAPodSaysWhatItWasMadeFrom(t *testing.T) {
	for _, owner := range []*metav1.OwnerReference{nil, claim("ReplicaSet", "none", "no-such-uid")} {
		made := meta("shop", "batch-x7", nil, owner)
		made.GenerateName = "batch-"
		form := spec("bad:1")
		form.ServiceAccountName = "runner"
		_, r := run(t, fake.NewClientset(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop", UID: "ns"}},
			&corev1.Pod{ObjectMeta: made, Spec: form}), nil)
		var o v1.Observation
		eventually(t, "the pod is published", 5*time.Second, func() (ok bool) { o, ok = r.of("Pod", "batch-x7"); return ok })
		if o.GenerateName != "batch-" || o.ServiceAccount != "runner" {
			t.Errorf("%+v", o)
		}
	}
}
