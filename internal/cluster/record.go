package cluster

import (
	"fmt"
	"slices"
	"time"
	"unique"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/entity"
)

// Controller is the owner reference that claims to control an object. It is a tenant's
// claim, not a fact.
type Controller struct {
	APIVersion, Kind, Name, UID string
}

// Judgement is what is kept of an object's content. Equal objects may share one.
type Judgement struct {
	Labels   map[string]string
	Verdicts []v1.Verdict
}

// Record is what is kept of one object. It never changes.
type Record struct {
	Kind            entity.Kind
	Namespace       string // for a Namespace, its own name
	Name            string
	UID             string
	ResourceVersion string
	// Generation rises with each change of the object's spec, of a workload.
	Generation int64
	Created    time.Time
	Dormant    string
	// Lost names what an act would lose for good, of a workload that can be acted on.
	Lost []string
	// Over is true for a Pod or Job that has run to its end. One that is being deleted still
	// runs: it may ignore the signal for as long as its grace period, which a tenant chooses.
	Over bool
	// Controller is the zero value when no reference claims control.
	Controller Controller
	// Judgement is nil when the object is not under audit.
	Judgement *Judgement
	// Made is what an object says of its maker beside the owner reference; see [Made].
	Made Made
	// Selector is which objects are a workload's own; nil where the kind has none.
	Selector *metav1.LabelSelector
	// Replicas, Node, Running, Scaler and Stored are an [entity.Entity]'s; equal texts of
	// Running are kept once.
	Replicas *int32
	Node     string
	Running  Running
	Scaler   *entity.Scaler
	Stored   *entity.Stored
	// GenerateName and ServiceAccount are a Pod's or Job's.
	GenerateName   string
	ServiceAccount string
	// OwnerAnnotation is the value of the annotation that names a Namespace's owner, or of the
	// one by which any other object names its own.
	OwnerAnnotation string
	// ChatAnnotation is the value of the annotation that names a Namespace's owners in a chat.
	ChatAnnotation string
}

// Made is what the controllers write on what they make, so that an owner reference can be
// checked against it.
type Made struct {
	TemplateHash string // pod-template-hash, of a ReplicaSet and its pods
	Revision     string // controller-revision-hash, of a StatefulSet's or DaemonSet's pods
	JobUID       string // batch.kubernetes.io/controller-uid
	OwnName      bool   // statefulset.kubernetes.io/pod-name is the pod's own name
	Scheduled    bool   // batch.kubernetes.io/cronjob-scheduled-timestamp is there, on a Job
}

// Root names the record as the root of an observation.
func (r *Record) Root() v1.Root {
	return v1.Root{Kind: string(r.Kind), Namespace: r.Namespace, Name: r.Name, UID: r.UID}
}

// record turns an object into its slim record, and has it judged.
func (s *store) record(object any) (*Record, error) {
	switch o := object.(type) {
	case *Record: // slimmed before, while the first list was streaming in
		return o, nil
	case runtime.Object:
		e, err := entity.From(o)
		if err != nil {
			return nil, fmt.Errorf("cluster: %w", err)
		}
		r := s.judged(e)
		r.Selector = selector(o)
		if m, err := meta.Accessor(o); err == nil && r.Kind != entity.Pod && r.Kind != entity.Ingress && r.Kind != entity.Namespace {
			r.Generation = m.GetGeneration()
		}
		return r, nil
	}
	return nil, fmt.Errorf("cluster: %T is not an object", object)
}

func (s *store) judged(e entity.Entity) *Record {
	r := &Record{
		Kind: e.Kind, Namespace: shared(e.Namespace), Name: e.Name, UID: e.UID,
		ResourceVersion: e.ResourceVersion, Created: e.Created, Dormant: e.Dormant(),
		Over:       e.Completed,
		Controller: controller(e.Owners), Made: made(e),
		Node: shared(e.Node), Running: packed(e.Running), Scaler: e.Scaler, Stored: e.Stored,
	}
	if e.Replicas != nil {
		r.Replicas = ptr.To(*e.Replicas) // not a pointer into the object, which would stay
	}
	if e.Kind == entity.Job || e.Kind == entity.Pod { // also of one that claims a controller: the claim may be forged
		r.GenerateName = shared(e.GenerateName)
		if e.Pod != nil {
			r.ServiceAccount = shared(e.Pod.ServiceAccountName)
		}
	}
	key := s.settings.WorkloadAnnotation
	if e.Kind == entity.Namespace {
		key = s.settings.OwnerAnnotation
		if chat := s.settings.ChatAnnotation; chat != "" {
			r.ChatAnnotation = e.Annotations[chat]
		}
	}
	if key != "" {
		r.OwnerAnnotation = e.Annotations[key]
	}
	switch e.Kind {
	case entity.Deployment, entity.StatefulSet, entity.ReplicaSet, entity.Job, entity.CronJob:
		r.Lost = e.Lost()
	}
	if !slices.Contains(entity.Related(), e.Kind) {
		r.Judgement = s.handler.Judge(e)
	}
	return r
}

// selector returns which objects are a workload's own.
func selector(o runtime.Object) *metav1.LabelSelector {
	switch o := o.(type) {
	case *appsv1.Deployment:
		return o.Spec.Selector
	case *appsv1.StatefulSet:
		return o.Spec.Selector
	case *appsv1.DaemonSet:
		return o.Spec.Selector
	case *appsv1.ReplicaSet:
		return o.Spec.Selector
	case *batchv1.Job:
		return o.Spec.Selector
	}
	return nil
}

func made(e entity.Entity) Made {
	return Made{
		TemplateHash: shared(e.Labels[appsv1.DefaultDeploymentUniqueLabelKey]),
		Revision:     shared(e.Labels[appsv1.ControllerRevisionHashLabelKey]),
		JobUID:       shared(e.Labels[batchv1.ControllerUidLabel]),
		OwnName:      e.Kind == entity.Pod && e.Labels[appsv1.StatefulSetPodNameLabel] == e.Name,
		Scheduled:    e.Kind == entity.Job && e.Annotations[batchv1.CronJobScheduledTimestampAnnotation] != "",
	}
}

func controller(owners []metav1.OwnerReference) Controller {
	for _, o := range owners {
		if o.Controller != nil && *o.Controller {
			return Controller{APIVersion: shared(o.APIVersion), Kind: shared(o.Kind),
				Name: shared(o.Name), UID: shared(string(o.UID))}
		}
	}
	return Controller{}
}

// shared keeps one copy of text that thousands of records repeat.
func shared(text string) string { return unique.Make(text).Value() }
