package enforce

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	autoscalingapply "k8s.io/client-go/applyconfigurations/autoscaling/v1"
	"k8s.io/utils/ptr"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/entity"
)

// read gets the object live, judges it with today's engine, and takes its prior state.
func (e *Enforcer) read(ctx context.Context, root v1.Root) (Live, docket.Prior) {
	switch {
	case scaled(root.Kind) || suspended(root.Kind):
		w, err := e.workload(ctx, root)
		if err != nil {
			return Live{Err: err}, docket.Prior{}
		}
		live := e.live(ctx, w.object, w.meta)
		live.Replicas, live.LosesClaims = w.replicas, w.losesClaims
		live.Suspended, live.Active, live.QueuedBy = w.suspended, w.active, w.queuedBy
		prior := docket.Prior{ResourceVersion: w.meta.ResourceVersion, Generation: w.meta.Generation, ScaledBy: lastScaled(w)}
		if w.can {
			prior.Suspended = ptr.To(w.suspended)
		} else {
			prior.Replicas = ptr.To(w.replicas)
		}
		return live, prior
	case root.Kind == "Ingress":
		o, err := e.Client.NetworkingV1().Ingresses(root.Namespace).Get(ctx, root.Name, metav1.GetOptions{})
		if err != nil {
			return Live{Err: err}, docket.Prior{}
		}
		live := e.live(ctx, o, o.ObjectMeta)
		live.LoadBalancer = len(o.Status.LoadBalancer.Ingress) > 0
		manifest, err := manifestOf(o)
		if err != nil {
			return Live{Err: err}, docket.Prior{}
		}
		return live, docket.Prior{ResourceVersion: o.ResourceVersion, Manifest: manifest}
	}
	return Live{Err: fmt.Errorf("a %s is never acted on", root.Kind)}, docket.Prior{}
}

func (e *Enforcer) live(ctx context.Context, object runtime.Object, m metav1.ObjectMeta) Live {
	live := Live{UID: string(m.UID), ResourceVersion: m.ResourceVersion, Deleting: m.DeletionTimestamp != nil,
		Labels: m.Labels, Annotations: m.Annotations, Owners: m.OwnerReferences, Finalizers: m.Finalizers}
	subject, err := entity.From(object)
	if err != nil {
		live.Err = err
		return live
	}
	live.Verdicts = e.Engine.Judge(subject, related{ctx, e}, v1.FromTemplate)
	return live
}

// manifestOf keeps what an undo gives back: the same spec, labels and annotations.
func manifestOf(o *networkingv1.Ingress) (json.RawMessage, error) {
	kept := networkingv1.Ingress{
		TypeMeta:   metav1.TypeMeta{APIVersion: "networking.k8s.io/v1", Kind: "Ingress"},
		ObjectMeta: metav1.ObjectMeta{Name: o.Name, Namespace: o.Namespace, Labels: o.Labels, Annotations: o.Annotations},
		Spec:       o.Spec,
	}
	raw, err := json.Marshal(kept)
	if err != nil {
		return nil, fmt.Errorf("keeping the manifest of %s: %w", o.Name, err)
	}
	return raw, nil
}

// manager is the field manager of one enforcement's writes; it proves later whose they are.
func manager(id string) string { return "k8guard-" + id }

// write sends the hard action with the object's UID and resourceVersion. It returns the
// resourceVersion after it (errReset too), errConflict, or an error whose outcome is open.
func (e *Enforcer) write(ctx context.Context, d docket.Docket, live Live, dryRun bool) (string, error) {
	var dry []string
	if dryRun {
		dry = []string{metav1.DryRunAll}
	}
	if d.Enforcement.Action == docket.DeleteIngress {
		uid := types.UID(live.UID)
		err := e.Client.NetworkingV1().Ingresses(d.Root.Namespace).Delete(ctx, d.Root.Name, metav1.DeleteOptions{
			DryRun: dry, Preconditions: &metav1.Preconditions{UID: &uid, ResourceVersion: &live.ResourceVersion},
		})
		return "", conflictOr(err)
	}
	if d.Enforcement.Action == docket.Suspend {
		return e.suspend(ctx, d.Root, live, true, manager(d.Enforcement.ID), dry)
	}
	return e.toZero(ctx, d.Root, live, manager(d.Enforcement.ID), dry)
}

// toZero applies the scale instead of updating it: a Scale leaves out a zero, so that an
// update to zero names no field manager, ours as little as anybody's. An applied zero does.
func (e *Enforcer) toZero(ctx context.Context, root v1.Root, live Live, by string, dry []string) (string, error) {
	zero := autoscalingapply.Scale().WithName(root.Name).WithNamespace(root.Namespace).WithUID(types.UID(live.UID)).
		WithResourceVersion(live.ResourceVersion).WithSpec(autoscalingapply.ScaleSpec().WithReplicas(0))
	out, err := e.scaler(root).ApplyScale(ctx, root.Name, zero,
		metav1.ApplyOptions{FieldManager: by, Force: true, DryRun: dry})
	return carried(out, 0, err)
}

// back updates the scale to what it was. Not applied: the field shall not stay ours.
func (e *Enforcer) back(ctx context.Context, root v1.Root, live Live, replicas int32, by string, dry []string) error {
	out, err := e.scaler(root).UpdateScale(ctx, root.Name, &autoscalingv1.Scale{
		ObjectMeta: metav1.ObjectMeta{Name: root.Name, Namespace: root.Namespace, UID: types.UID(live.UID), ResourceVersion: live.ResourceVersion},
		Spec:       autoscalingv1.ScaleSpec{Replicas: replicas},
	}, metav1.UpdateOptions{FieldManager: by, DryRun: dry})
	_, err = carried(out, replicas, err)
	return err
}

// carried wants the server's answer to hold our value.
func carried(out *autoscalingv1.Scale, replicas int32, err error) (string, error) {
	if err != nil {
		return "", conflictOr(err)
	}
	if out.Spec.Replicas != replicas {
		return out.ResourceVersion, fmt.Errorf("%w: %d replicas were asked for, the server answered %d", errReset, replicas, out.Spec.Replicas)
	}
	return out.ResourceVersion, nil
}

// conflictOr names both forms in which the API says that a precondition did not hold. The
// field decides, not the text: that bears names which tenants choose.
func conflictOr(err error) error {
	if apierrors.IsConflict(err) || apierrors.IsInvalid(err) && (blames(err, "metadata.uid") || blames(err, "metadata.resourceVersion")) {
		return fmt.Errorf("%w: %w", errConflict, err)
	}
	return err
}

// blames reports whether the API's answer names this field as the cause.
func blames(err error, field string) bool {
	var answer apierrors.APIStatus
	if !errors.As(err, &answer) || answer.Status().Details == nil {
		return false
	}
	return slices.ContainsFunc(answer.Status().Details.Causes, func(c metav1.StatusCause) bool { return c.Field == field })
}

// fence moves the object's resourceVersion by our one annotation, so that a write sent
// earlier on another resourceVersion conflicts.
func (e *Enforcer) fence(ctx context.Context, root v1.Root, live Live, value string) error {
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"uid": live.UID, "resourceVersion": live.ResourceVersion, "annotations": map[string]string{Annotation: value},
	}})
	if err != nil {
		return err
	}
	return conflictOr(e.annotate(ctx, root, patch))
}

// scaledBy names the field managers that hold the field that stops it, joined by commas; "" if nobody
// does, as after somebody's update of the scale to zero. A write that changes the value takes
// it from all others: ours alone means that we wrote it last.
func scaledBy(w workload) string {
	var names []string
	for _, f := range holders(w) {
		names = append(names, f.Manager)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// lastScaled says who holds that field and when each wrote last. Equal before and after
// means that nobody changed the value in between, we as little: a write that changes it takes
// it from its holders, and theirs to get it back bears a new time.
func lastScaled(w workload) string {
	var all []string
	for _, f := range holders(w) {
		at := ""
		if f.Time != nil {
			at = f.Time.UTC().Format(time.RFC3339)
		}
		all = append(all, fmt.Sprintf("%s %s %s %s", f.Manager, f.Operation, f.Subresource, at))
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

func holders(w workload) []metav1.ManagedFieldsEntry {
	var all []metav1.ManagedFieldsEntry
	for _, f := range w.meta.ManagedFields {
		var set struct {
			Spec map[string]json.RawMessage `json:"f:spec"`
		}
		if f.FieldsV1 == nil || json.Unmarshal(f.FieldsV1.GetRawBytes(), &set) != nil || set.Spec["f:"+w.field()] == nil {
			continue
		}
		all = append(all, f)
	}
	return all
}
