// Package entity is the vocabulary for what is under audit: one Kubernetes object, as
// much of it as a rule may read.
//
// Purpose: rules, scan and discover speak of the same thing whether it came from a file
// or from a watch.
//
// Concurrency: an Entity is a value that refers to parts of the object it came from; it
// is read-only, and safe to share for as long as nobody changes that object.
//
// Guarantees: [From] never changes its argument. Text in an entity is a tenant's: hostile.
//
// It will not: talk to a cluster, judge, or remember anything.
package entity

import (
	"fmt"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"
)

// Kind is a Kubernetes kind, spelt as the API spells it.
type Kind string

// The kinds that K8Guard judges today.
const (
	Namespace   Kind = "Namespace"
	Deployment  Kind = "Deployment"
	StatefulSet Kind = "StatefulSet"
	DaemonSet   Kind = "DaemonSet"
	ReplicaSet  Kind = "ReplicaSet" // a root only where no Deployment made it
	Job         Kind = "Job"        // a root only where no CronJob made it
	CronJob     Kind = "CronJob"
	Ingress     Kind = "Ingress"
	Pod         Kind = "Pod" // a root only where nothing that lives made it
)

// The kinds that are read for the sake of others; see [Related].
const (
	HorizontalPodAutoscaler Kind = "HorizontalPodAutoscaler"
	ResourceQuota           Kind = "ResourceQuota"
	Node                    Kind = "Node"
)

// Kinds lists every kind that is judged, in the order in which people read them.
func Kinds() []Kind {
	return []Kind{Namespace, Deployment, StatefulSet, DaemonSet, ReplicaSet, Job, CronJob, Ingress, Pod}
}

// Workloads lists the kinds that run pods, pods among them.
func Workloads() []Kind {
	return []Kind{Deployment, StatefulSet, DaemonSet, ReplicaSet, Job, CronJob, Pod}
}

// Related lists the kinds that are not judged, but read by rules about others.
func Related() []Kind { return []Kind{HorizontalPodAutoscaler, ResourceQuota, Node} }

// maxLost bounds the names of Lost.
const maxLost = 10

// Entity is one object under audit.
type Entity struct {
	Kind            Kind
	Namespace       string // for a Namespace, its own name
	Name            string
	UID             string
	ResourceVersion string
	Created         time.Time
	Deleting        bool
	GenerateName    string // that the name was made from, or empty
	Labels          map[string]string
	Annotations     map[string]string
	Owners          []metav1.OwnerReference
	// Replicas is the desired count of a Deployment, StatefulSet or ReplicaSet; nil when unset,
	// which the API reads as 1.
	Replicas *int32
	// Suspended is true for a Job or CronJob that starts nothing.
	Suspended bool
	// Pod is the pod's own spec, or its template's; nil when the kind runs no pods.
	Pod *corev1.PodSpec
	// PodPath is where Pod lies in the object: "spec", "spec.template.spec" or
	// "spec.jobTemplate.spec.template.spec".
	PodPath string
	// Completed is true for a Pod or Job that has run to its end, well or not.
	Completed bool
	Ingress   *networkingv1.IngressSpec
	// Node is the name of the node that a Pod runs on; empty before it is placed.
	Node string
	// Running is what a Pod's containers run, as its node said.
	Running []Running
	// Scaler is what a HorizontalPodAutoscaler does.
	Scaler *Scaler
	// Stored is what a Node holds.
	Stored *Stored
}

// String is "Kind/namespace/name", or "Namespace/name".
func (e Entity) String() string {
	if e.Kind == Namespace || e.Namespace == "" {
		return string(e.Kind) + "/" + e.Name
	}
	return string(e.Kind) + "/" + e.Namespace + "/" + e.Name
}

// Dormant says why nothing of the entity runs, or "".
func (e Entity) Dormant() string {
	switch {
	case e.Replicas != nil && *e.Replicas == 0:
		return "scaled to zero"
	case e.Suspended:
		return "suspended"
	}
	return ""
}

// Lost names the volumes whose content dies with the last pod, at most ten.
func (e Entity) Lost() []string {
	if e.Pod == nil {
		return nil
	}
	var lost []string
	for _, v := range e.Pod.Volumes {
		switch {
		case len(lost) == maxLost:
			return append(lost, "and more")
		case v.EmptyDir != nil:
			lost = append(lost, "emptyDir "+v.Name)
		case v.Ephemeral != nil:
			lost = append(lost, "ephemeral volume "+v.Name)
		}
	}
	return lost
}

// Slim returns what is kept of an object after it arrived: all that a rule about several
// objects may read of its subject and of the others.
func (e Entity) Slim() Entity {
	return Entity{Kind: e.Kind, Namespace: e.Namespace, Name: e.Name, UID: e.UID, Replicas: e.Replicas,
		Node: e.Node, Running: e.Running, Scaler: e.Scaler, Stored: e.Stored}
}

// From reads an object of one of [Kinds] or [Related]. It returns an error for every other type.
func From(object runtime.Object) (Entity, error) {
	switch o := object.(type) {
	case *corev1.Namespace:
		e := meta(Namespace, o.ObjectMeta)
		e.Namespace = o.Name
		return e, nil
	case *appsv1.Deployment:
		e := meta(Deployment, o.ObjectMeta)
		e.Replicas, e.Pod, e.PodPath = o.Spec.Replicas, &o.Spec.Template.Spec, template
		return e, nil
	case *appsv1.StatefulSet:
		e := meta(StatefulSet, o.ObjectMeta)
		e.Replicas, e.Pod, e.PodPath = o.Spec.Replicas, &o.Spec.Template.Spec, template
		return e, nil
	case *appsv1.DaemonSet:
		e := meta(DaemonSet, o.ObjectMeta)
		e.Pod, e.PodPath = &o.Spec.Template.Spec, template
		return e, nil
	case *appsv1.ReplicaSet:
		e := meta(ReplicaSet, o.ObjectMeta)
		e.Replicas, e.Pod, e.PodPath = o.Spec.Replicas, &o.Spec.Template.Spec, template
		return e, nil
	case *batchv1.Job:
		e := meta(Job, o.ObjectMeta)
		e.Pod, e.PodPath = &o.Spec.Template.Spec, template
		e.Suspended, e.Completed = ptr.Deref(o.Spec.Suspend, false), finished(o.Status.Conditions)
		return e, nil
	case *batchv1.CronJob:
		e := meta(CronJob, o.ObjectMeta)
		e.Pod, e.PodPath = &o.Spec.JobTemplate.Spec.Template.Spec, "spec.jobTemplate.spec.template.spec"
		e.Suspended = ptr.Deref(o.Spec.Suspend, false)
		return e, nil
	case *networkingv1.Ingress:
		e := meta(Ingress, o.ObjectMeta)
		e.Ingress = &o.Spec
		return e, nil
	case *corev1.Pod:
		e := meta(Pod, o.ObjectMeta)
		e.UID = PodUID(o)
		e.Pod, e.PodPath = &o.Spec, "spec"
		e.Completed = o.Status.Phase == corev1.PodSucceeded || o.Status.Phase == corev1.PodFailed
		e.Node, e.Running = o.Spec.NodeName, running(o.Status)
		return e, nil
	case *autoscalingv2.HorizontalPodAutoscaler:
		e := meta(HorizontalPodAutoscaler, o.ObjectMeta)
		e.Scaler = scaler(o.ObjectMeta, o.Spec.ScaleTargetRef, o.Spec.MinReplicas)
		return e, nil
	case *autoscalingv1.HorizontalPodAutoscaler: // as people write it in manifests
		e := meta(HorizontalPodAutoscaler, o.ObjectMeta)
		e.Scaler = scaler(o.ObjectMeta, autoscalingv2.CrossVersionObjectReference(o.Spec.ScaleTargetRef), o.Spec.MinReplicas)
		return e, nil
	case *corev1.ResourceQuota:
		return meta(ResourceQuota, o.ObjectMeta), nil
	case *corev1.Node:
		e := meta(Node, o.ObjectMeta)
		e.Stored = stored(o.Status)
		return e, nil
	}
	return Entity{}, fmt.Errorf("entity: %T is not a kind that K8Guard judges; it judges %v and reads %v", object, Kinds(), Related())
}

// template is where the pod template lies in most kinds.
const template = "spec.template.spec"

// finished reports whether a Job is over: a terminal condition is true.
func finished(conditions []batchv1.JobCondition) bool {
	return slices.ContainsFunc(conditions, func(c batchv1.JobCondition) bool {
		return c.Status == corev1.ConditionTrue && (c.Type == batchv1.JobComplete || c.Type == batchv1.JobFailed)
	})
}

func meta(kind Kind, m metav1.ObjectMeta) Entity {
	return Entity{
		Kind: kind, Namespace: m.Namespace, Name: m.Name, UID: string(m.UID),
		ResourceVersion: m.ResourceVersion, Created: m.CreationTimestamp.Time,
		Deleting: m.DeletionTimestamp != nil, Labels: m.Labels, Annotations: m.Annotations,
		Owners: m.OwnerReferences, GenerateName: m.GenerateName,
	}
}
