package enforce

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// A Service or a disruption budget may choose pods by labels that only their controller
// writes: nobody can tell from the template that it does not mean one of these.
func TestASelectorMayAskForWhatTheControllerWrites(t *testing.T) {
	w := workload{labels: map[string]string{"app": "hook"}}
	in := func(key string, values ...string) metav1.LabelSelectorRequirement {
		return metav1.LabelSelectorRequirement{Key: key, Operator: metav1.LabelSelectorOpIn, Values: values}
	}
	for name, row := range map[string]struct {
		selector *metav1.LabelSelector
		want     bool
	}{
		"nothing":            {nil, false},
		"everything":         {&metav1.LabelSelector{}, true},
		"the template's":     {&metav1.LabelSelector{MatchLabels: map[string]string{"app": "hook"}}, true},
		"another":            {&metav1.LabelSelector{MatchLabels: map[string]string{"app": "web"}}, false},
		"one pod":            {&metav1.LabelSelector{MatchLabels: map[string]string{"statefulset.kubernetes.io/pod-name": "hook-0"}}, true},
		"an index":           {&metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{in("apps.kubernetes.io/pod-index", "0")}}, true},
		"one of another app": {&metav1.LabelSelector{MatchLabels: map[string]string{"app": "web", "controller-revision-hash": "x"}}, false},
		"unreadable":         {&metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "app", Operator: "Like"}}}, true},
	} {
		if got := w.mayBeSelected(row.selector); got != row.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
