package discover

import (
	"math/rand"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/utils/ptr"
	"pgregory.net/rapid"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/entity"
	"github.com/k8guard/k8guard/internal/rule"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func spec(image string) corev1.PodSpec {
	return corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: image}}}
}

func meta(namespace, name string, ls map[string]string, owner *metav1.OwnerReference) metav1.ObjectMeta {
	m := metav1.ObjectMeta{Namespace: namespace, Name: name, UID: types.UID(namespace + "-" + name), ResourceVersion: "1", Labels: ls}
	if owner != nil {
		m.OwnerReferences = []metav1.OwnerReference{*owner}
	}
	return m
}

func claim(kind, name, uid string) *metav1.OwnerReference {
	version := "apps/v1"
	if kind == "Job" || kind == "CronJob" {
		version = "batch/v1"
	}
	return &metav1.OwnerReference{APIVersion: version, Kind: kind, Name: name, UID: types.UID(uid), Controller: ptr.To(true)}
}

// makersOfPods are one of each kind that makes pods, with clean templates.
func makersOfPods() []runtime.Object {
	selects := func(name string) *metav1.LabelSelector {
		return &metav1.LabelSelector{MatchLabels: map[string]string{"app": name}}
	}
	template := corev1.PodTemplateSpec{Spec: spec("good")}
	nightly := meta("shop", "nightly-1", map[string]string{"app": "nightly"}, claim("CronJob", "nightly", "shop-nightly"))
	nightly.Annotations = map[string]string{batchv1.CronJobScheduledTimestampAnnotation: "2026-01-01T00:00:00Z"}
	forged := meta("shop", "nightly-2", map[string]string{"app": "nightly"}, claim("CronJob", "nightly", "shop-nightly"))
	return []runtime.Object{
		&appsv1.Deployment{ObjectMeta: meta("shop", "web", nil, nil), Spec: appsv1.DeploymentSpec{Selector: selects("web"), Template: template}},
		&appsv1.ReplicaSet{ObjectMeta: meta("shop", "web-h1", map[string]string{"app": "web", appsv1.DefaultDeploymentUniqueLabelKey: "h1"},
			claim("Deployment", "web", "shop-web")), Spec: appsv1.ReplicaSetSpec{Selector: selects("web"), Template: template}},
		&appsv1.ReplicaSet{ObjectMeta: meta("shop", "bare", map[string]string{"app": "bare"}, nil), Spec: appsv1.ReplicaSetSpec{Selector: selects("bare"), Template: template}},
		&appsv1.StatefulSet{ObjectMeta: meta("shop", "db", nil, nil), Spec: appsv1.StatefulSetSpec{Selector: selects("db"), Template: template}},
		&appsv1.DaemonSet{ObjectMeta: meta("shop", "agent", nil, nil), Spec: appsv1.DaemonSetSpec{Selector: selects("agent"), Template: template}},
		&batchv1.Job{ObjectMeta: meta("shop", "once", nil, nil), Spec: batchv1.JobSpec{Selector: selects("once"), Template: template}},
		&batchv1.Job{ObjectMeta: meta("shop", "done", nil, nil), Spec: batchv1.JobSpec{Selector: selects("done"), Template: template},
			Status: batchv1.JobStatus{Conditions: []batchv1.JobCondition{{Type: batchv1.JobComplete, Status: corev1.ConditionTrue}}}},
		&batchv1.CronJob{ObjectMeta: meta("shop", "nightly", nil, nil), Spec: batchv1.CronJobSpec{JobTemplate: batchv1.JobTemplateSpec{Spec: batchv1.JobSpec{Template: template}}}},
		&batchv1.Job{ObjectMeta: nightly, Spec: batchv1.JobSpec{Selector: selects("nightly"), Template: template}},
		&batchv1.Job{ObjectMeta: forged, Spec: batchv1.JobSpec{Selector: selects("nightly"), Template: template}},
	}
}

func TestAPodBelongsOnlyThroughAChainThatHolds(t *testing.T) {
	web := map[string]string{"app": "web", appsv1.DefaultDeploymentUniqueLabelKey: "h1"}
	db := map[string]string{"app": "db", appsv1.ControllerRevisionHashLabelKey: "r1", appsv1.StatefulSetPodNameLabel: "p"}
	agent := map[string]string{"app": "agent", appsv1.ControllerRevisionHashLabelKey: "r1"}
	of := func(app, job string) map[string]string {
		return map[string]string{"app": app, batchv1.ControllerUidLabel: job}
	}
	set := claim("ReplicaSet", "web-h1", "shop-web-h1")
	cases := map[string]struct {
		namespace string
		labels    map[string]string
		owner     *metav1.OwnerReference
		root      string
	}{
		"deployment":            {"shop", web, set, "Deployment/web"},
		"no claim":              {"shop", web, nil, "Pod/p"},
		"forged uid":            {"shop", web, claim("ReplicaSet", "web-h1", "forged"), "Pod/p"},
		"forged name":           {"shop", web, claim("ReplicaSet", "web-h2", "shop-web-h1"), "Pod/p"},
		"other namespace":       {"evil", web, set, "Pod/p"},
		"wrong hash":            {"shop", map[string]string{"app": "web", appsv1.DefaultDeploymentUniqueLabelKey: "h2"}, set, "Pod/p"},
		"selector differs":      {"shop", map[string]string{appsv1.DefaultDeploymentUniqueLabelKey: "h1"}, set, "Pod/p"},
		"straight to parent":    {"shop", web, claim("Deployment", "web", "shop-web"), "Pod/p"},
		"no such maker":         {"shop", web, &metav1.OwnerReference{APIVersion: "v1", Kind: "ConfigMap", Name: "x", UID: "x", Controller: ptr.To(true)}, "Pod/p"},
		"another group":         {"shop", web, &metav1.OwnerReference{APIVersion: "evil.io/v1", Kind: "ReplicaSet", Name: "web-h1", UID: "shop-web-h1", Controller: ptr.To(true)}, "Pod/p"},
		"bare replicaset":       {"shop", map[string]string{"app": "bare"}, claim("ReplicaSet", "bare", "shop-bare"), "ReplicaSet/bare"},
		"statefulset":           {"shop", db, claim("StatefulSet", "db", "shop-db"), "StatefulSet/db"},
		"no revision":           {"shop", map[string]string{"app": "db", appsv1.StatefulSetPodNameLabel: "p"}, claim("StatefulSet", "db", "shop-db"), "Pod/p"},
		"another pod's name":    {"shop", map[string]string{"app": "db", appsv1.ControllerRevisionHashLabelKey: "r1", appsv1.StatefulSetPodNameLabel: "db-0"}, claim("StatefulSet", "db", "shop-db"), "Pod/p"},
		"daemonset":             {"shop", agent, claim("DaemonSet", "agent", "shop-agent"), "DaemonSet/agent"},
		"no daemonset's mark":   {"shop", map[string]string{"app": "agent"}, claim("DaemonSet", "agent", "shop-agent"), "Pod/p"},
		"job":                   {"shop", of("once", "shop-once"), claim("Job", "once", "shop-once"), "Job/once"},
		"a job that is over":    {"shop", of("done", "shop-done"), claim("Job", "done", "shop-done"), "Pod/p"},
		"another job's uid":     {"shop", of("once", "shop-other"), claim("Job", "once", "shop-once"), "Pod/p"},
		"cronjob":               {"shop", of("nightly", "shop-nightly-1"), claim("Job", "nightly-1", "shop-nightly-1"), "CronJob/nightly"},
		"a cronjob's forgery":   {"shop", of("nightly", "shop-nightly-2"), claim("Job", "nightly-2", "shop-nightly-2"), "Job/nightly-2"},
		"straight to cronjob":   {"shop", of("nightly", "shop-nightly-1"), claim("CronJob", "nightly", "shop-nightly"), "Pod/p"},
		"job as a deployment's": {"shop", web, claim("Job", "web-h1", "shop-web-h1"), "Pod/p"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, r := run(t, fake.NewClientset(append(makersOfPods(),
				&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop", UID: "ns", Annotations: map[string]string{"team/email-ids": "B@x.io a@x.io"}}},
				&corev1.Pod{ObjectMeta: meta(c.namespace, "p", c.labels, c.owner), Spec: spec("bad:1")},
				&corev1.Pod{ObjectMeta: meta("ignored", "q", nil, nil), Spec: spec("bad:2")},
			)...), nil)
			kind, name, _ := strings.Cut(c.root, "/")
			eventually(t, "its root is published", 5*time.Second, func() bool { _, ok := r.of(kind, name); return ok })
			o, _ := r.of(kind, name)
			v := o.Verdicts[0]
			if v.State != v1.Violated || len(v.Violations) != 1 || v.Violations[0].From != v1.FromPod {
				t.Errorf("verdict %+v, want one violation from the pod", v)
			}
			if wantRemark := kind == "Pod" && c.owner != nil || name == "nightly-2"; wantRemark != (v.Reason != "") {
				t.Errorf("remark %q, wanted one: %v", v.Reason, wantRemark)
			}
			if c.namespace == "shop" && !slices.Equal(o.Owner.Emails, []string{"a@x.io", "b@x.io"}) {
				t.Errorf("owner %+v", o.Owner)
			}
			if told := r.violated(); len(told) != 1 {
				t.Errorf("the violation was told on %v", told)
			}
		})
	}
}

// What cannot be read of pods is unknown by every rule about them, also by one that judges
// pods alone: no verdict at all would end its cases.
func TestUnreadPodsAreUnknownToEachRuleAboutThem(t *testing.T) {
	only := rule.Rule{Meta: rule.Meta{ID: "POD_ONLY", Revision: 1, Kinds: []entity.Kind{entity.Pod}},
		Check: func(entity.Entity, rule.Related) rule.Result { return rule.Result{} }}
	engine, err := rule.NewEngine(only)
	if err != nil {
		t.Fatal(err)
	}
	d := &Discover{settings: Settings{Engine: engine}}
	if got := d.unread(); len(got) != 1 || got[0].Rule != "POD_ONLY" || got[0].State != v1.Unknown {
		t.Errorf("got %+v", got)
	}
}

func TestInventoryHoldsEveryLiveRootAndGoneIsSaid(t *testing.T) {
	client := fake.NewClientset(
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop", UID: "ns"}},
		&corev1.Pod{ObjectMeta: meta("shop", "clean", nil, nil), Spec: spec("good")},
		&corev1.Pod{ObjectMeta: meta("shop", "dirty", nil, nil), Spec: spec("bad")},
	)
	_, r := run(t, client, nil)
	eventually(t, "an inventory", 5*time.Second, func() bool { _, roots, judged := r.inventory(); return len(roots) == 3 && judged == 3 })
	kinds, roots, judged := r.inventory()
	dirty, _ := r.of("Pod", "dirty")
	if len(kinds) != len(entity.Kinds()) || judged != 3 || roots["shop-clean"] == "" || roots["shop-dirty"] != dirty.Hash {
		t.Errorf("kinds %v, judged %d, roots %v, want the hash %s", kinds, judged, roots, dirty.Hash)
	}
	if _, told := r.of("Pod", "clean"); told {
		t.Error("a clean root cost a message")
	}
	r.requests <- docket.Key{Cluster: "c", Root: "shop-clean"}
	eventually(t, "the requested root", 5*time.Second, func() bool { _, told := r.of("Pod", "clean"); return told })
	if err := client.CoreV1().Pods("shop").Delete(t.Context(), "dirty", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "gone", 5*time.Second, func() bool { o, _ := r.of("Pod", "dirty"); return o.State == v1.Gone })
	eventually(t, "absent from the inventory", 5*time.Second, func() bool { _, roots, _ := r.inventory(); return roots["shop-dirty"] == "" })
}

func TestHashIgnoresOrderAndSeesEachChange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.SampledFrom([]string{"a", "b", "c", "d"})
		all := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) v1.Violation {
			from := rapid.SampledFrom([]v1.From{v1.FromTemplate, v1.FromPod}).Draw(t, "from")
			return v1.Violation{Type: "R", Source: text.Draw(t, "source"), Message: text.Draw(t, "message"), Evidence: text.Draw(t, "evidence"), From: from}
		}), 1, 12).Draw(t, "violations")
		shuffled := slices.Clone(all)
		rand.New(rand.NewSource(rapid.Int64().Draw(t, "seed"))).Shuffle(len(all), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		of := func(vs []v1.Violation) v1.Observation {
			return v1.Observation{State: v1.Live, Verdicts: tidy([]v1.Verdict{{Rule: "R", State: v1.Violated, Violations: vs}}, "")}
		}
		one, two := of(all), of(shuffled)
		two.At, two.Order = time.Now(), v1.Order{Seq: 9}
		if hash(one, 1) != hash(two, 1) || len(hash(one, 1)) != 32 {
			t.Fatalf("hash %s and %s of equal sets", hash(one, 1), hash(two, 1))
		}
		sources := map[string]bool{}
		for _, v := range all {
			sources[v.Source] = true
		}
		if got := len(one.Verdicts[0].Violations); got != len(sources) {
			t.Fatalf("%d violations of %d sources", got, len(sources))
		}
		two.Dormant = "scaled to zero"
		if hash(one, 1) == hash(two, 1) {
			t.Fatal("dormancy is not in the hash")
		}
		if hash(one, 1) == hash(one, 2) {
			t.Fatal("the generation is not in the hash")
		}
	})
}

// A namespace that is ignored from now on: what it holds is sighted with a hash that no
// observation has, is never called gone, also not when it is asked for, and is not counted.
func TestWhatIsIgnoredIsNotGone(t *testing.T) {
	_, r := run(t, fake.NewClientset(
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "ignored", UID: "ns"}},
		&appsv1.Deployment{ObjectMeta: meta("ignored", "web", nil, nil), Spec: appsv1.DeploymentSpec{Template: corev1.PodTemplateSpec{Spec: spec("bad")}}},
		&corev1.Pod{ObjectMeta: meta("ignored", "p", nil, nil), Spec: spec("bad")},
		&corev1.Pod{ObjectMeta: meta("shop", "p", nil, nil), Spec: spec("bad")},
	), nil)
	var roots map[string]string
	judged := 0
	eventually(t, "an inventory of all", 5*time.Second, func() bool { // what is not read whole counts nothing
		_, roots, judged = r.inventory()
		return len(roots) == 4 && judged > 0
	})
	for _, uid := range []string{"ns", "ignored-web", "ignored-p"} {
		if roots[uid] != unjudged {
			t.Errorf("%s: sighted with hash %q", uid, roots[uid])
		}
	}
	if judged != 1 || roots["shop-p"] == unjudged {
		t.Errorf("%d judged, roots %v", judged, roots)
	}
	for _, uid := range []string{"ns", "ignored-web", "ignored-p", "shop-p"} {
		r.requests <- docket.Key{Cluster: "c", Root: uid}
	}
	before := r.published("shop-p")
	r.requests <- docket.Key{Cluster: "c", Root: "shop-p"}
	eventually(t, "all answers", 5*time.Second, func() bool { return r.published("shop-p") > before })
	for _, uid := range []string{"ns", "ignored-web", "ignored-p"} {
		if n := r.published(uid); n != 0 {
			t.Errorf("%s: %d observations of an ignored object", uid, n)
		}
	}
}
