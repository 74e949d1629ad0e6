package enforce_test

import (
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/enforce"
)

// cronJob is a privileged one that is never due within a test.
func cronJob() *batchv1.CronJob {
	return &batchv1.CronJob{ObjectMeta: metav1.ObjectMeta{Name: "web"}, Spec: batchv1.CronJobSpec{Schedule: "0 0 1 1 *",
		StartingDeadlineSeconds: ptr.To[int64](60), JobTemplate: batchv1.JobTemplateSpec{Spec: idleJob().Spec}}}
}

// idleJob is a privileged one that runs no pod: it wants none.
func idleJob() *batchv1.Job {
	template := deployment("web").Spec.Template
	template.Labels = nil
	template.Spec.RestartPolicy = "Never"
	return &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: "web"}, Spec: batchv1.JobSpec{Parallelism: ptr.To[int32](0), Template: template}}
}

func (h *house) cronJob(change func(*batchv1.CronJob)) {
	h.t.Helper()
	c := cronJob()
	if change != nil {
		change(c)
	}
	h.seed(must(h.p.admin.BatchV1().CronJobs(h.ns).Create(h.t.Context(), c, metav1.CreateOptions{})))
}

func (h *house) job(change func(*batchv1.Job), rest func(*batchv1.Job) bool) {
	h.t.Helper()
	j := idleJob()
	if change != nil {
		change(j)
	}
	jobs := h.p.admin.BatchV1().Jobs(h.ns)
	must(jobs.Create(h.t.Context(), j, metav1.CreateOptions{}))
	eventually(h.t, "it is at rest", func() bool {
		j = must(jobs.Get(h.t.Context(), "web", metav1.GetOptions{}))
		return rest(j)
	})
	h.seed(j)
}

func started(j *batchv1.Job) bool { return j.Status.StartTime != nil }

func (h *house) wantSuspended(want bool) {
	h.t.Helper()
	if got := *must(h.p.admin.BatchV1().CronJobs(h.ns).Get(h.t.Context(), "web", metav1.GetOptions{})).Spec.Suspend; got != want {
		h.t.Errorf("suspend: %t", got)
	}
}

func cronJobAndBack(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.cronJob(nil)
	h.act(nil)
	h.wantState(docket.Done)
	h.wantSuspended(true)
	note, err := h.process("first", nil).Undo(t.Context(), h.key, docket.Undo{By: "alice", Reason: "needed"})
	if err != nil || !strings.Contains(note, "starts at once") {
		t.Fatalf("note %q, %v; it does not say what a resumed CronJob sets off", note, err)
	}
	h.wantState(docket.Undid)
	h.wantSuspended(false)
	h.wantWrites("patch cronjobs", "patch cronjobs")
	h.wantEvents("CronJob", "web", enforce.Acted, enforce.Undone)
}

func jobAndBack(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.job(nil, started)
	h.act(nil)
	h.wantState(docket.Done)
	job := func() *batchv1.Job {
		return must(p.admin.BatchV1().Jobs(h.ns).Get(t.Context(), "web", metav1.GetOptions{}))
	}
	if !ptr.Deref(job().Spec.Suspend, false) {
		t.Error("it is not suspended")
	}
	if _, err := h.process("first", nil).Undo(t.Context(), h.key, docket.Undo{By: "alice", Reason: "needed"}); err != nil {
		t.Fatal(err)
	}
	h.wantState(docket.Undid)
	if ptr.Deref(job().Spec.Suspend, true) {
		t.Error("it is not resumed")
	}
	h.wantWrites("patch jobs", "patch jobs")
}

// jobRuns: suspending it would kill its pods, and their work.
func jobRuns(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.job(func(j *batchv1.Job) { j.Spec.Parallelism = ptr.To[int32](1) }, func(j *batchv1.Job) bool { return j.Status.Active == 1 })
	h.act(nil)
	h.wantRefused(3, "1 of its pods run")
	h.wantWrites()
}

func jobQueued(t *testing.T, p *plane) {
	for name, change := range map[string]func(*batchv1.Job){
		"label":     func(j *batchv1.Job) { j.Labels = map[string]string{"kueue.x-k8s.io/queue-name": "team"} },
		"managedBy": func(j *batchv1.Job) { j.Spec.ManagedBy = ptr.To("example.org/another") },
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, p)
			h.job(change, func(*batchv1.Job) bool { return true })
			h.act(nil)
			h.wantRefused(3, "its suspension belongs to")
			h.wantWrites()
		})
	}
}

// cronJobResumed: somebody resumed it and suspended it again; it is theirs now.
func cronJobResumed(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.cronJob(nil)
	h.act(nil)
	h.wantState(docket.Done)
	for _, body := range []string{`{"spec":{"suspend":false}}`, `{"spec":{"suspend":true}}`} {
		must(p.admin.BatchV1().CronJobs(h.ns).Patch(t.Context(), "web", types.MergePatchType, []byte(body), metav1.PatchOptions{FieldManager: "carol"}))
	}
	if _, err := h.process("first", nil).Undo(t.Context(), h.key, docket.Undo{By: "alice", Reason: "needed"}); err == nil || !strings.Contains(err.Error(), "carol") {
		t.Errorf("undo: %v", err)
	}
	h.wantSuspended(true)
	h.wantWrites("patch cronjobs")
}

// cronJobSettled: the answer to the act is lost; another process sees it done.
func cronJobSettled(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.cronJob(nil)
	h.dies(dieAfter)
	h.settle(nil)
	h.wantState(docket.Done)
	h.wantWrites("patch cronjobs")
}

// cronJobBefore: nothing was sent; it is fenced, by its annotation alone.
func cronJobBefore(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.cronJob(nil)
	h.dies(dieBefore)
	h.settle(nil)
	h.wantRefused(7, "touched")
	h.wantSuspended(false)
	h.wantWrites("patch cronjobs")
}

// cronJobChanged: the answer to the act is lost, and somebody resumed it before anybody could
// look. Nobody can tell, so nothing is done again.
func cronJobChanged(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.cronJob(nil)
	h.dies(dieAfter)
	must(p.admin.BatchV1().CronJobs(h.ns).Patch(t.Context(), "web", types.MergePatchType, []byte(`{"spec":{"suspend":false}}`), metav1.PatchOptions{FieldManager: "carol"}))
	h.settle(nil)
	h.wantState(docket.Unclear)
	h.wantWrites("patch cronjobs")
}
