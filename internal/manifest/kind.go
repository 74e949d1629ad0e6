package manifest

import (
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"

	"github.com/k8guard/k8guard/internal/config"
)

// maxKind is how long a kind may be, as the API has it.
const maxKind = 63

// misspelt refuses a kind that Kubernetes' own group does not have: a cluster would not take
// it, and it would go unjudged. Of somebody else's group nobody here knows the kinds, nor of
// Kubernetes' smaller ones what other versions have: there, only what is nearly a kind is wrong.
func misspelt(t metav1.TypeMeta) error {
	group := t.GroupVersionKind().Group
	if t.Kind == "" || len(t.Kind) > maxKind || !scheme.Scheme.IsGroupRegistered(group) || t.APIVersion == "" {
		return nil
	}
	kinds := kindsOf(group)
	if slices.Contains(kinds, t.Kind) || strings.HasSuffix(t.Kind, "List") {
		return nil
	}
	hint := config.Suggest(t.Kind, kinds)
	if !strings.HasPrefix(hint, "did you mean") && !slices.Contains([]string{"", "apps", "batch"}, group) {
		return nil
	}
	return fmt.Errorf("no cluster serves %s %s; %s", t.APIVersion, t.Kind, hint)
}

// kindsOf are the kinds of objects in a group, of every version.
func kindsOf(group string) (kinds []string) {
	for gvk := range scheme.Scheme.AllKnownTypes() {
		if gvk.Group == group && object(gvk) && !slices.Contains(kinds, gvk.Kind) {
			kinds = append(kinds, gvk.Kind)
		}
	}
	slices.Sort(kinds)
	return kinds
}

// object reports whether a type of a group is more than a part of the API's own protocol.
func object(t schema.GroupVersionKind) bool {
	return !strings.HasSuffix(t.Kind, "List") && !strings.HasSuffix(t.Kind, "Options") && t.Kind != "WatchEvent"
}
