package discover

import (
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/k8guard/k8guard/internal/entity"
	"github.com/k8guard/k8guard/internal/rule/image"
)

// firstWorld has something bad of each kind that the first K8Guard served.
func firstWorld() []runtime.Object {
	objects := makersOfPods()
	cron := &batchv1.CronJob{ObjectMeta: meta("shop", "bad-cron", nil, nil)}
	cron.Spec.JobTemplate.Spec.Template.Spec = spec("bad/cron:1")
	job := &batchv1.Job{ObjectMeta: meta("shop", "bad-job", nil, nil)}
	job.Spec.Template.Spec = spec("bad/job:1")
	web := single("bad-web", 2)
	web.Spec.Template.Spec = spec("bad/web:1")
	owned := meta("shop", "db-0", map[string]string{"app": "db", "controller-revision-hash": "r", "statefulset.kubernetes.io/pod-name": "db-0"},
		claim("StatefulSet", "db", "shop-db"))
	return append(objects, cron, job, web, namespaceNamed("shop"), namespaceNamed("bad"),
		&networkingv1.Ingress{ObjectMeta: meta("shop", "bad-in", nil, nil)},
		&corev1.Pod{ObjectMeta: owned, Spec: spec("bad/sidecar:1")},
		&corev1.Pod{ObjectMeta: meta("shop", "bare", nil, nil), Spec: spec("bad/<b>:1")})
}

func ask(d *Discover, path string) *httptest.ResponseRecorder {
	mux := http.NewServeMux()
	for pattern, h := range d.Routes() {
		mux.Handle(pattern, h)
	}
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w
}

func TestTheFirstSystemsRoutes(t *testing.T) {
	repo, err := image.Repo(image.RepoParams{Approved: []string{"good", "bad/job"}})
	if err != nil {
		t.Fatal(err)
	}
	engine := bad(t, repo)
	d, r := run(t, fake.NewClientset(firstWorld()...), nil, func(s *Settings) { s.Engine = engine })
	eventually(t, "a whole inventory", 5*time.Second, func() bool {
		kinds, _, _ := r.inventory()
		return len(kinds) == len(entity.Kinds())
	})
	var got strings.Builder
	for _, path := range []string{"/namespaces", "/deploys", "/daemonsets", "/podswo", "/ingresses", "/jobs", "/cronjobs"} {
		w := ask(d, path)
		if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/json; charset=utf-8" {
			t.Errorf("%s: %d %q", path, w.Code, w.Header().Get("Content-Type"))
		}
		got.WriteString("GET " + path + "\n" + w.Body.String())
	}
	const golden = "testdata/first-routes.golden"
	want, err := os.ReadFile(golden)
	if err != nil || string(want) != got.String() {
		t.Errorf("%s (%v) differs from\n%s", golden, err, got.String())
	}
}

func TestAKindThatIsNotReadIsNotClean(t *testing.T) {
	client := fake.NewClientset(firstWorld()...)
	client.PrependReactor("list", "ingresses", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewForbidden(schema.GroupResource{Resource: "ingresses"}, "", nil)
	})
	d, _ := run(t, client, nil)
	eventually(t, "deployments are read", 5*time.Second, func() bool { return ask(d, "/deploys").Code == http.StatusOK })
	if w := ask(d, "/ingresses"); w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "ingresses.networking.k8s.io is refused") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// The names of mission and of the dashboards that people have.
func TestTheFirstSystemsMetrics(t *testing.T) {
	var registry *prometheus.Registry
	_, r := run(t, fake.NewClientset(append(firstWorld(), node(1))...), nil, func(s *Settings) {
		registry = prometheus.NewRegistry()
		s.Registerer = registry
	})
	eventually(t, "a whole inventory", 5*time.Second, func() bool {
		kinds, _, _ := r.inventory()
		return len(kinds) == len(entity.Kinds())
	})
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	counts := map[string]float64{}
	for _, f := range families {
		name := f.GetName()
		if strings.HasPrefix(name, "fn_") || strings.HasPrefix(name, "k8guard_all_") || strings.HasPrefix(name, "k8guard_bad_") {
			if len(f.GetMetric()) != 1 || len(f.GetMetric()[0].GetLabel()) != 0 || f.GetType().String() != "GAUGE" {
				t.Errorf("%s is no unlabelled gauge", name)
			}
			got, counts[name] = append(got, name), f.GetMetric()[0].GetGauge().GetValue()
		}
	}
	want := strings.Fields(`k8guard_all_namespace_count k8guard_all_deployment_count k8guard_all_daemonset_count k8guard_all_pod_count
		k8guard_all_image_count k8guard_all_ingresses_count k8guard_all_job_count k8guard_all_cronjob_count k8guard_bad_namespace_count
		k8guard_bad_deployment_count k8guard_bad_daemonset_count k8guard_bad_pod_count k8guard_bad_pod_wo_owner_count k8guard_bad_ingresses_count
		k8guard_bad_job_count k8guard_bad_job_wo_owner_count k8guard_bad_cronjob_count fn_get_bad_namespaces_duration fn_get_bad_deploys_duration
		fn_get_bad_daemonsets_duration fn_get_bad_pods_duration fn_get_bad_ingresses_duration fn_get_bad_jobs_duration fn_get_bad_cronjobs_duration
		fn_cache_all_images_duration`)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	for name, n := range map[string]float64{"k8guard_all_pod_count": 2, "k8guard_bad_pod_count": 2, "k8guard_bad_pod_wo_owner_count": 1,
		"k8guard_bad_deployment_count": 1, "k8guard_all_job_count": 5, "k8guard_bad_job_count": 1, "k8guard_bad_job_wo_owner_count": 1,
		"k8guard_bad_namespace_count": 1, "k8guard_all_image_count": 1, "k8guard_bad_daemonset_count": 0, "k8guard_bad_cronjob_count": 1} {
		if counts[name] != n {
			t.Errorf("%s is %v, want %v", name, counts[name], n)
		}
	}
}
