package discover

import (
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/cluster"
	"github.com/k8guard/k8guard/internal/entity"
)

const apps = "apps/v1"

// owner returns the Deployment that a pod belongs to, or why its claim to a controller does
// not hold; both are empty for a pod that claims none. A tenant writes owner references, so
// each step of the chain must exist by UID, in the pod's namespace, and match.
func (d *Discover) owner(pod *cluster.Record) (deployment *cluster.Record, why string) {
	claim := pod.Controller
	if claim.UID == "" {
		return nil, ""
	}
	if claim.APIVersion != apps || claim.Kind != string(cluster.ReplicaSet) {
		return nil, "its kind is not watched"
	}
	set := d.settings.Watcher.Get(cluster.ReplicaSet, claim.UID)
	if set == nil || set.Namespace != pod.Namespace || set.Name != claim.Name {
		return nil, "no such ReplicaSet has that UID in the pod's namespace"
	}
	if why := mismatch(set, pod); why != "" {
		return nil, why
	}
	above := set.Controller
	if above.APIVersion != apps || above.Kind != string(entity.Deployment) {
		return nil, "the ReplicaSet is controlled by no Deployment"
	}
	deployment = d.settings.Watcher.Get(entity.Deployment, above.UID)
	if deployment == nil || deployment.Namespace != pod.Namespace || deployment.Name != above.Name {
		return nil, "the ReplicaSet's Deployment does not exist by that UID"
	}
	return deployment, ""
}

func mismatch(set, pod *cluster.Record) string {
	var own map[string]string
	if pod.Judgement != nil {
		own = pod.Judgement.Labels
	}
	selector, err := metav1.LabelSelectorAsSelector(set.Selector)
	if err != nil || selector.Empty() || !selector.Matches(labels.Set(own)) {
		return "the ReplicaSet's selector does not match the pod's labels"
	}
	if set.TemplateHash == "" || own[appsv1.DefaultDeploymentUniqueLabelKey] != set.TemplateHash {
		return "the pod's " + appsv1.DefaultDeploymentUniqueLabelKey + " is not the ReplicaSet's"
	}
	return ""
}

// unverified is the remark on a pod that is its own root in spite of a claim.
func unverified(pod *cluster.Record, why string) string {
	if why == "" {
		return ""
	}
	return fmt.Sprintf("the pod's claim to be controlled by %s/%s was not verified: %s",
		pod.Controller.Kind, pod.Controller.Name, why)
}

// people says who is told of what is wrong in a namespace. No annotation, or no valid
// address in it, gives nobody.
func (d *Discover) people(namespace *cluster.Record) v1.Owner {
	if namespace == nil || namespace.OwnerAnnotation == "" {
		return v1.Owner{}
	}
	valid, _ := d.settings.Addresses(namespace.OwnerAnnotation)
	if len(valid) == 0 {
		return v1.Owner{}
	}
	emails := make([]string, 0, len(valid))
	for _, address := range valid {
		emails = append(emails, strings.ToLower(address))
	}
	slices.Sort(emails)
	return v1.Owner{Emails: slices.Compact(emails), Platform: true,
		From: fmt.Sprintf("Namespace %s, annotation %s", namespace.Name, d.settings.OwnerAnnotation)}
}
