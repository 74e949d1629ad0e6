package enforce

import (
	"context"
	"fmt"
	"maps"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	autoscalingapply "k8s.io/client-go/applyconfigurations/autoscaling/v1"
	"k8s.io/utils/ptr"

	v1 "github.com/k8guard/k8guard/api/v1"
)

// scaler is what the client of each kind that has replicas offers.
type scaler interface {
	ApplyScale(context.Context, string, *autoscalingapply.ScaleApplyConfiguration, metav1.ApplyOptions) (*autoscalingv1.Scale, error)
	UpdateScale(context.Context, string, *autoscalingv1.Scale, metav1.UpdateOptions) (*autoscalingv1.Scale, error)
}

// workload is what enforcement reads of an object that has replicas.
type workload struct {
	object   runtime.Object
	meta     metav1.ObjectMeta
	replicas int32
	labels   map[string]string // of its pods, by the template
	// losesClaims: scaled down, the volumes of its pods are deleted.
	losesClaims bool
	suspension
}

// field is the name in the spec that stops the workload.
func (w workload) field() string {
	if w.can {
		return "suspend"
	}
	return "replicas"
}

// stopped reports whether nothing of it is started.
func (w workload) stopped() bool {
	if w.can {
		return w.suspended
	}
	return w.replicas == 0
}

// mayBeSelected reports whether a selector may choose a pod of the workload. Labels that the
// controllers put on pods stand in no template: what asks for them may mean one of these. A
// selector that cannot be read may, too; nil selects nothing.
func (w workload) mayBeSelected(selector *metav1.LabelSelector) bool {
	if selector == nil {
		return false
	}
	byController := func(key string) bool {
		return slices.Contains([]string{appsv1.StatefulSetPodNameLabel, appsv1.PodIndexLabel, appsv1.ControllerRevisionHashLabelKey,
			appsv1.DefaultDeploymentUniqueLabelKey}, key)
	}
	wanted := selector.DeepCopy()
	maps.DeleteFunc(wanted.MatchLabels, func(key, _ string) bool { return byController(key) })
	wanted.MatchExpressions = slices.DeleteFunc(wanted.MatchExpressions, func(r metav1.LabelSelectorRequirement) bool { return byController(r.Key) })
	parsed, err := metav1.LabelSelectorAsSelector(wanted)
	return err != nil || parsed.Matches(labels.Set(w.labels))
}

// scaled reports whether roots of the kind are acted on by their replicas.
func scaled(kind string) bool {
	return kind == "Deployment" || kind == "StatefulSet" || kind == "ReplicaSet"
}

// workload reads a root that has replicas or can be suspended, live.
func (e *Enforcer) workload(ctx context.Context, root v1.Root) (workload, error) {
	apps, get := e.Client.AppsV1(), metav1.GetOptions{}
	switch root.Kind {
	case "Job", "CronJob":
		return e.suspendable(ctx, root)
	case "Deployment":
		o, err := apps.Deployments(root.Namespace).Get(ctx, root.Name, get)
		if err != nil {
			return workload{}, err
		}
		return workload{object: o, meta: o.ObjectMeta, replicas: ptr.Deref(o.Spec.Replicas, 1), labels: o.Spec.Template.Labels}, nil
	case "StatefulSet":
		o, err := apps.StatefulSets(root.Namespace).Get(ctx, root.Name, get)
		if err != nil {
			return workload{}, err
		}
		retention := o.Spec.PersistentVolumeClaimRetentionPolicy
		loses := retention != nil && retention.WhenScaled != appsv1.RetainPersistentVolumeClaimRetentionPolicyType
		return workload{object: o, meta: o.ObjectMeta, replicas: ptr.Deref(o.Spec.Replicas, 1), labels: o.Spec.Template.Labels, losesClaims: loses}, nil
	case "ReplicaSet":
		o, err := apps.ReplicaSets(root.Namespace).Get(ctx, root.Name, get)
		if err != nil {
			return workload{}, err
		}
		return workload{object: o, meta: o.ObjectMeta, replicas: ptr.Deref(o.Spec.Replicas, 1), labels: o.Spec.Template.Labels}, nil
	}
	return workload{}, fmt.Errorf("a %s has no replicas", root.Kind)
}

// scaler is the client of the root's kind; scaled says for which there is one.
func (e *Enforcer) scaler(root v1.Root) scaler {
	apps := e.Client.AppsV1()
	switch root.Kind {
	case "StatefulSet":
		return apps.StatefulSets(root.Namespace)
	case "ReplicaSet":
		return apps.ReplicaSets(root.Namespace)
	}
	return apps.Deployments(root.Namespace)
}

// annotate patches the root's annotations.
func (e *Enforcer) annotate(ctx context.Context, root v1.Root, patch []byte) error {
	apps, options := e.Client.AppsV1(), metav1.PatchOptions{FieldManager: "k8guard"}
	var err error
	switch root.Kind {
	case "Ingress":
		_, err = e.Client.NetworkingV1().Ingresses(root.Namespace).Patch(ctx, root.Name, types.MergePatchType, patch, options)
	case "Deployment":
		_, err = apps.Deployments(root.Namespace).Patch(ctx, root.Name, types.MergePatchType, patch, options)
	case "StatefulSet":
		_, err = apps.StatefulSets(root.Namespace).Patch(ctx, root.Name, types.MergePatchType, patch, options)
	case "ReplicaSet":
		_, err = apps.ReplicaSets(root.Namespace).Patch(ctx, root.Name, types.MergePatchType, patch, options)
	case "Job":
		_, err = e.Client.BatchV1().Jobs(root.Namespace).Patch(ctx, root.Name, types.MergePatchType, patch, options)
	case "CronJob":
		_, err = e.Client.BatchV1().CronJobs(root.Namespace).Patch(ctx, root.Name, types.MergePatchType, patch, options)
	default:
		err = fmt.Errorf("a %s is never acted on", root.Kind)
	}
	return err
}
