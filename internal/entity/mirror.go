package entity

import corev1 "k8s.io/api/core/v1"

// PodUID is what a Pod is known by. A mirror pod, which shows a static pod of a node's
// kubelet, gets a new UID whenever the kubelet shows it again; it is known by its node and
// name. (kubernetes.io/docs/tasks/configure-pod-container/static-pod.)
//
// A tenant who forges the marks gains nothing: a bare pod is never acted on, and two pods of
// one namespace and name do not exist at once.
func PodUID(pod *corev1.Pod) string {
	if _, mirror := pod.Annotations[corev1.MirrorPodAnnotationKey]; !mirror || pod.Spec.NodeName == "" {
		return string(pod.UID)
	}
	for _, o := range pod.OwnerReferences {
		if o.Kind == string(Node) && o.Name == pod.Spec.NodeName && o.Controller != nil && *o.Controller {
			return "mirror:" + pod.Spec.NodeName + "/" + pod.Namespace + "/" + pod.Name
		}
	}
	return string(pod.UID)
}
