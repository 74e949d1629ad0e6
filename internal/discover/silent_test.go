package discover

import (
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/k8guard/k8guard/internal/entity"
)

// A watch that says nothing for too long vouches for nothing, though it is open and whole:
// its kind and what hangs on it leave the inventory, and the roots are no longer counted.
func TestASilentWatchVouchesForNothing(t *testing.T) {
	client := fake.NewClientset(
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop", UID: "ns"}},
		&corev1.Pod{ObjectMeta: meta("shop", "p", nil, nil), Spec: spec("bad")},
	)
	_, r := run(t, client, nil, func(s *Settings) { s.StaleAfter, s.Resync = 4*time.Second, 100*time.Millisecond })
	eventually(t, "a whole inventory", 30*time.Second, func() bool {
		kinds, roots, judged := r.inventory()
		return len(kinds) == len(entity.Kinds()) && judged == 2 && len(roots) == 2
	})
	// Namespaces alone stay alive; the others are open, whole and silent.
	stop := make(chan struct{})
	stopped := make(chan struct{})
	t.Cleanup(func() { close(stop); <-stopped })
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			case <-time.After(50 * time.Millisecond):
			}
			ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop", UID: "ns", Labels: map[string]string{"n": time.Now().String()}}}
			if _, err := client.CoreV1().Namespaces().Update(t.Context(), ns, metav1.UpdateOptions{}); err != nil {
				return
			}
		}
	}()
	eventually(t, "an inventory of namespaces alone", 30*time.Second, func() bool {
		kinds, roots, judged := r.inventory()
		return slices.Equal(kinds, []string{"Namespace"}) && judged == 0 && len(roots) == 1 && roots["ns"] != ""
	})
	if o, _ := r.of("Pod", "p"); o.State != "live" {
		t.Errorf("the pod of a silent watch is %q", o.State)
	}
}
