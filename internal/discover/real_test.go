package discover

import (
	"bytes"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/utils/ptr"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/cluster"
	"github.com/k8guard/k8guard/internal/entity"
	"github.com/k8guard/k8guard/tools/controlplane"
	"github.com/k8guard/k8guard/tools/controlplane/controlplanetest"
)

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func deployment(name, image string) *appsv1.Deployment {
	ls := map[string]string{"app": name}
	return &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: ls}, Spec: appsv1.DeploymentSpec{
		Replicas: ptr.To[int32](2), Selector: &metav1.LabelSelector{MatchLabels: ls},
		Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: ls}, Spec: spec(image)}}}
}

func ingress(name string) *networkingv1.Ingress {
	return &networkingv1.Ingress{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: networkingv1.IngressSpec{
		DefaultBackend: &networkingv1.IngressBackend{Service: &networkingv1.IngressServiceBackend{Name: "s", Port: networkingv1.ServiceBackendPort{Number: 80}}}}}
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// account is a client under the shipped account and rights.
func account(t *testing.T, c *controlplane.Cluster) kubernetes.Interface {
	t.Helper()
	if err := c.Apply(t.Context(), filepath.Join("..", "..", "deploy", "rbac-discover.yaml")); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := c.AccountKubeconfig(t.Context(), "k8guard", "k8guard-discover", path); err != nil {
		t.Fatal(err)
	}
	return must(cluster.NewClient(must(clientcmd.BuildConfigFromFlags("", path))))
}

func TestOnARealControlPlane(t *testing.T) {
	c := controlplanetest.Start(t)
	config := must(c.RESTConfig())
	config.QPS, config.Burst = 500, 500
	admin := must(kubernetes.NewForConfig(config))
	limited := account(t, c)
	d, r := run(t, limited, nil)
	deployments := admin.AppsV1().Deployments("default")
	for i := range 6 {
		image := []string{"good:1", "bad:1"}[i%2]
		must(deployments.Create(t.Context(), deployment(fmt.Sprintf("d%d", i), image), metav1.CreateOptions{}))
	}
	must(admin.NetworkingV1().Ingresses("default").Create(t.Context(), ingress("bad-host"), metav1.CreateOptions{}))
	otherKinds(t, admin)
	eventually(t, "17 pods run and nothing is stale", time.Minute, func() bool {
		pods, err := admin.CoreV1().Pods("default").List(t.Context(), metav1.ListOptions{})
		return err == nil && len(pods.Items) == 17 && !d.Status().Stale
	})
	sameAsListed(t, admin, r)
	latencies(t, admin, r)
	if err := c.StopAPIServer(); err != nil {
		t.Fatal(err)
	}
	if err := c.StartAPIServer(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := deployments.Delete(t.Context(), "d1", metav1.DeleteOptions{PropagationPolicy: ptr.To(metav1.DeletePropagationForeground)}); err != nil {
		t.Fatal(err)
	}
	must(deployments.Create(t.Context(), deployment("late", "bad:late"), metav1.CreateOptions{}))
	eventually(t, "what happened around the restart is told", time.Minute, func() bool {
		gone, _ := r.of("Deployment", "d1")
		_, late := r.of("Deployment", "late")
		return gone.State == v1.Gone && late && !d.Status().Stale
	})
	sameAsListed(t, admin, r)
	denied(t, c)
	if _, err := limited.CoreV1().Secrets("default").List(t.Context(), metav1.ListOptions{}); err == nil {
		t.Error("the account may read secrets")
	}
	lease := must(limited.CoordinationV1().Leases("k8guard").Get(t.Context(), "k8guard-discover", metav1.GetOptions{}))
	lease.Spec.HolderIdentity = ptr.To("test")
	must(limited.CoordinationV1().Leases("k8guard").Update(t.Context(), lease, metav1.UpdateOptions{}))
}

// otherKinds makes one bad root of each further kind: 2 and 2 pods, and one for the node.
func otherKinds(t *testing.T, admin kubernetes.Interface) {
	t.Helper()
	template := func(name string) (*metav1.LabelSelector, corev1.PodTemplateSpec) {
		d := deployment(name, "bad:1")
		return d.Spec.Selector, d.Spec.Template
	}
	apps, batch := admin.AppsV1(), admin.BatchV1()
	s, pod := template("db")
	must(apps.StatefulSets("default").Create(t.Context(), &appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Name: "db"},
		Spec: appsv1.StatefulSetSpec{Replicas: ptr.To[int32](2), Selector: s, Template: pod}}, metav1.CreateOptions{}))
	s, pod = template("bare")
	must(apps.ReplicaSets("default").Create(t.Context(), &appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{Name: "bare"},
		Spec: appsv1.ReplicaSetSpec{Replicas: ptr.To[int32](2), Selector: s, Template: pod}}, metav1.CreateOptions{}))
	s, pod = template("agent")
	must(apps.DaemonSets("default").Create(t.Context(), &appsv1.DaemonSet{ObjectMeta: metav1.ObjectMeta{Name: "agent"},
		Spec: appsv1.DaemonSetSpec{Selector: s, Template: pod}}, metav1.CreateOptions{}))
	_, pod = template("work")
	pod.Spec.RestartPolicy = corev1.RestartPolicyNever
	must(batch.Jobs("default").Create(t.Context(), &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: "once"},
		Spec: batchv1.JobSpec{Suspend: ptr.To(true), Template: pod}}, metav1.CreateOptions{}))
	must(batch.CronJobs("default").Create(t.Context(), &batchv1.CronJob{ObjectMeta: metav1.ObjectMeta{Name: "nightly"},
		Spec: batchv1.CronJobSpec{Schedule: "0 0 29 2 *", JobTemplate: batchv1.JobTemplateSpec{Spec: batchv1.JobSpec{Template: pod}}}}, metav1.CreateOptions{}))
}

// otherRoots lists what otherKinds made, as nobody else in the cluster makes such roots.
func otherRoots(t *testing.T, admin kubernetes.Interface) (uids []string) {
	t.Helper()
	apps, batch := admin.AppsV1(), admin.BatchV1()
	for _, x := range must(apps.StatefulSets("").List(t.Context(), metav1.ListOptions{})).Items {
		uids = append(uids, string(x.UID))
	}
	for _, x := range must(apps.DaemonSets("").List(t.Context(), metav1.ListOptions{})).Items {
		uids = append(uids, string(x.UID))
	}
	for _, x := range must(apps.ReplicaSets("").List(t.Context(), metav1.ListOptions{})).Items {
		if len(x.OwnerReferences) == 0 {
			uids = append(uids, string(x.UID))
		}
	}
	for _, x := range must(batch.Jobs("").List(t.Context(), metav1.ListOptions{})).Items {
		if len(x.OwnerReferences) == 0 {
			uids = append(uids, string(x.UID))
		}
	}
	for _, x := range must(batch.CronJobs("").List(t.Context(), metav1.ListOptions{})).Items {
		uids = append(uids, string(x.UID))
	}
	return uids
}

// sameAsListed compares an inventory, and the violated roots, with a list of our own.
func sameAsListed(t *testing.T, admin kubernetes.Interface, r *recorder) {
	t.Helper()
	eventually(t, "the inventory and the verdicts equal an independent list", 30*time.Second, func() bool {
		want, violated := map[string]bool{}, []string{}
		for _, x := range must(admin.CoreV1().Namespaces().List(t.Context(), metav1.ListOptions{})).Items {
			want[string(x.UID)] = true
		}
		for _, x := range must(admin.NetworkingV1().Ingresses("").List(t.Context(), metav1.ListOptions{})).Items {
			want[string(x.UID)] = true
			violated = append(violated, string(x.UID))
		}
		for _, x := range must(admin.AppsV1().Deployments("").List(t.Context(), metav1.ListOptions{})).Items {
			want[string(x.UID)] = true
			if strings.Contains(x.Spec.Template.Spec.Containers[0].Image, "bad") {
				violated = append(violated, string(x.UID))
			}
		}
		for _, uid := range otherRoots(t, admin) {
			want[uid] = true
			violated = append(violated, uid)
		}
		kinds, got, judged := r.inventory()
		if len(kinds) != len(entity.Kinds()) || len(got) != len(want) || judged != len(want) {
			return false
		}
		for uid := range want {
			if got[uid] == "" {
				return false
			}
		}
		var told []string
		r.mu.Lock()
		defer r.mu.Unlock()
		for uid, o := range r.latest {
			if o.State == v1.Live && matters(o) {
				told = append(told, uid)
			}
		}
		slices.Sort(told)
		slices.Sort(violated)
		return slices.Equal(told, violated)
	})
}

// latencies changes an image 200 times and measures until the observation is published.
func latencies(t *testing.T, admin kubernetes.Interface, r *recorder) {
	t.Helper()
	var took, whole []time.Duration
	for i := range 200 {
		image := fmt.Sprintf("bad:v%d", i)
		patch := fmt.Sprintf(`{"spec":{"paused":true,"template":{"spec":{"containers":[{"name":"main","image":%q}]}}}}`, image)
		sent := time.Now()
		must(admin.AppsV1().Deployments("default").Patch(t.Context(), "d3", "application/strategic-merge-patch+json", []byte(patch), metav1.PatchOptions{}))
		answered := time.Now()
		var at time.Time
		eventually(t, image, 10*time.Second, func() bool {
			r.mu.Lock()
			defer r.mu.Unlock()
			var ok bool
			at, ok = r.heard[image+" template"]
			return ok
		})
		took, whole = append(took, max(0, at.Sub(answered))), append(whole, at.Sub(sent))
	}
	slices.Sort(took)
	slices.Sort(whole)
	t.Logf("from sending the change, the API server's own work included: p50 %s, p99 %s, max %s",
		whole[len(whole)/2], whole[len(whole)*99/100], whole[len(whole)-1])
	t.Logf("from the API server's answer to the published observation, %d changes: p50 %s, p99 %s, max %s",
		len(took), took[len(took)/2], took[len(took)*99/100], took[len(took)-1])
}

// denied takes away the right to read two kinds from an account that starts anew.
func denied(t *testing.T, c *controlplane.Cluster) {
	t.Helper()
	for _, args := range [][]string{
		{"create", "serviceaccount", "poor", "-n", "k8guard"},
		{"create", "clusterrole", "poor", "--verb=get,list,watch", "--resource=namespaces,pods,deployments.apps,replicasets.apps,daemonsets.apps,jobs.batch,cronjobs.batch"},
		{"create", "clusterrolebinding", "poor", "--clusterrole=poor", "--serviceaccount=k8guard:poor"},
	} {
		if _, err := c.Kubectl(t.Context(), args...); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := c.AccountKubeconfig(t.Context(), "k8guard", "poor", path); err != nil {
		t.Fatal(err)
	}
	logs := &safeBuffer{}
	d, r := run(t, must(cluster.NewClient(must(clientcmd.BuildConfigFromFlags("", path)))), slog.New(slog.NewTextHandler(logs, nil)))
	eventually(t, "an inventory without ingresses and statefulsets", 20*time.Second, func() bool {
		kinds, _, _ := r.inventory()
		return slices.Equal(kinds, []string{"Namespace", "Deployment", "DaemonSet", "ReplicaSet", "Job", "CronJob", "Pod"})
	})
	eventually(t, "the denied kind is named with the right that it wants", 40*time.Second, func() bool {
		return strings.Contains(logs.String(), "may not list ingresses.networking.k8s.io; grant list and watch")
	})
	if _, told := r.of("Pod", "db-0"); told {
		t.Error("a pod of what cannot be read is told as a root of its own")
	}
	if !d.Status().Stale {
		t.Error("an audit without ingresses calls itself fresh")
	}
}
