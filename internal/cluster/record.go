package cluster

import (
	"fmt"
	"time"
	"unique"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

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
	// Generation rises with each change of the object's spec, of a Deployment.
	Generation int64
	Created    time.Time
	Dormant    string
	// Lost names what an act would lose for good, of a Deployment.
	Lost []string
	// Over is true for a pod that has run to its end. One that is being deleted still runs:
	// it may ignore the signal for as long as its grace period, which a tenant chooses.
	Over bool
	// Controller is the zero value when no reference claims control.
	Controller Controller
	// Judgement is nil when the object is not under audit.
	Judgement *Judgement
	// Selector and TemplateHash are a ReplicaSet's: which pods are its own.
	Selector     *metav1.LabelSelector
	TemplateHash string
	// OwnerAnnotation is a Namespace's value of the annotation that names its owner.
	OwnerAnnotation string
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
	case *appsv1.ReplicaSet:
		return &Record{
			Kind: ReplicaSet, Namespace: shared(o.Namespace), Name: o.Name, UID: string(o.UID),
			ResourceVersion: o.ResourceVersion, Created: o.CreationTimestamp.Time,
			Controller: controller(o.OwnerReferences), Selector: o.Spec.Selector,
			TemplateHash: o.Labels[appsv1.DefaultDeploymentUniqueLabelKey],
		}, nil
	case runtime.Object:
		e, err := entity.From(o)
		if err != nil {
			return nil, fmt.Errorf("cluster: %w", err)
		}
		r := s.judged(e)
		if d, ok := o.(*appsv1.Deployment); ok {
			r.Generation = d.Generation
		}
		return r, nil
	}
	return nil, fmt.Errorf("cluster: %T is not an object", object)
}

func (s *store) judged(e entity.Entity) *Record {
	r := &Record{
		Kind: e.Kind, Namespace: shared(e.Namespace), Name: e.Name, UID: e.UID,
		ResourceVersion: e.ResourceVersion, Created: e.Created, Dormant: e.Dormant(),
		Over:       e.Kind == entity.Pod && e.Completed,
		Controller: controller(e.Owners),
	}
	if e.Kind == entity.Namespace {
		r.OwnerAnnotation = e.Annotations[s.settings.OwnerAnnotation]
	}
	if e.Kind == entity.Deployment {
		r.Lost = e.Lost()
	}
	r.Judgement = s.handler.Judge(e)
	return r
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
