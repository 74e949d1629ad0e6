package enforce

import (
	"context"
	"encoding/json"
	"fmt"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	v1 "github.com/k8guard/k8guard/api/v1"
)

// queueLabel hands a Job's suspension to Kueue (https://kueue.sigs.k8s.io/docs/tasks/run/jobs/).
const queueLabel = "kueue.x-k8s.io/queue-name"

// suspension is what enforcement reads of a Job or CronJob beside the workload.
type suspension struct {
	can       bool // it is a kind that is suspended
	suspended bool
	active    int32
	queuedBy  string
	// deadline bounds the start of a missed run; nil for none.
	deadline *int64
}

// suspended reports whether roots of the kind are acted on by suspending them.
func suspended(kind string) bool { return kind == "Job" || kind == "CronJob" }

// suspendable reads a Job or CronJob, live.
func (e *Enforcer) suspendable(ctx context.Context, root v1.Root) (workload, error) {
	batch, get := e.Client.BatchV1(), metav1.GetOptions{}
	if root.Kind == "CronJob" {
		o, err := batch.CronJobs(root.Namespace).Get(ctx, root.Name, get)
		if err != nil {
			return workload{}, err
		}
		job := o.Spec.JobTemplate
		return workload{object: o, meta: o.ObjectMeta, labels: job.Spec.Template.Labels, suspension: suspension{can: true,
			suspended: ptr.Deref(o.Spec.Suspend, false), queuedBy: queue(job.ObjectMeta, job.Spec), deadline: o.Spec.StartingDeadlineSeconds}}, nil
	}
	o, err := batch.Jobs(root.Namespace).Get(ctx, root.Name, get)
	if err != nil {
		return workload{}, err
	}
	return workload{object: o, meta: o.ObjectMeta, labels: o.Spec.Template.Labels, suspension: suspension{can: true,
		suspended: ptr.Deref(o.Spec.Suspend, false), active: o.Status.Active, queuedBy: queue(o.ObjectMeta, o.Spec)}}, nil
}

// queue names who else suspends and resumes a Job, or "".
func queue(m metav1.ObjectMeta, s batchv1.JobSpec) string {
	if by := ptr.Deref(s.ManagedBy, batchv1.JobControllerName); by != batchv1.JobControllerName {
		return "managedBy " + by
	}
	if name := m.Labels[queueLabel]; name != "" {
		return "queue " + name + " (label " + queueLabel + ")"
	}
	return ""
}

// suspend patches the one field, with UID and resourceVersion, and wants the answer to hold it.
func (e *Enforcer) suspend(ctx context.Context, root v1.Root, live Live, value bool, by string, dry []string) (string, error) {
	patch, err := json.Marshal(map[string]any{
		"metadata": map[string]string{"uid": live.UID, "resourceVersion": live.ResourceVersion},
		"spec":     map[string]bool{"suspend": value},
	})
	if err != nil {
		return "", err
	}
	options := metav1.PatchOptions{FieldManager: by, DryRun: dry}
	var m metav1.ObjectMeta
	var got *bool
	if root.Kind == "CronJob" {
		var o *batchv1.CronJob
		if o, err = e.Client.BatchV1().CronJobs(root.Namespace).Patch(ctx, root.Name, types.MergePatchType, patch, options); err == nil {
			m, got = o.ObjectMeta, o.Spec.Suspend
		}
	} else {
		var o *batchv1.Job
		if o, err = e.Client.BatchV1().Jobs(root.Namespace).Patch(ctx, root.Name, types.MergePatchType, patch, options); err == nil {
			m, got = o.ObjectMeta, o.Spec.Suspend
		}
	}
	switch {
	case err != nil:
		return "", conflictOr(err)
	case ptr.Deref(got, false) != value:
		return m.ResourceVersion, fmt.Errorf("%w: suspend: %t was asked for, the server answered %t", errReset, value, !value)
	}
	return m.ResourceVersion, nil
}

// resumed says what the undo sets off: a CronJob's controller starts the newest run that was
// missed at once, unless the deadline for its start has passed.
func resumed(root v1.Root, w workload) string {
	if root.Kind != "CronJob" {
		return root.String() + " is resumed"
	}
	if w.deadline != nil {
		return fmt.Sprintf("%s is resumed; a run that was missed in the last %d s starts at once", root, *w.deadline)
	}
	return root.String() + " is resumed; if a run was missed meanwhile, it starts at once"
}
