package cluster

import (
	"context"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"

	"github.com/k8guard/k8guard/internal/entity"
)

// pageSize bounds one page of a list, used only where streaming is not served.
const pageSize = 500

// source is one kind's place in the API.
type source struct {
	resource string // as an RBAC rule names it, "ingresses.networking.k8s.io"
	example  runtime.Object
	list     func(context.Context, metav1.ListOptions) (runtime.Object, error)
	watch    func(context.Context, metav1.ListOptions) (watch.Interface, error)
}

// typed is what every typed client offers.
type typed[L runtime.Object] interface {
	List(context.Context, metav1.ListOptions) (L, error)
	Watch(context.Context, metav1.ListOptions) (watch.Interface, error)
}

func sourceOf[L runtime.Object](resource string, example runtime.Object, c typed[L]) source {
	return source{resource: resource, example: example, watch: c.Watch,
		list: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) { return c.List(ctx, o) }}
}

func (w *Watcher) source(kind entity.Kind) (source, error) {
	c, ns := w.settings.Client, w.settings.Namespace
	switch kind {
	case entity.Namespace:
		return sourceOf("namespaces", &corev1.Namespace{}, c.CoreV1().Namespaces()), nil
	case entity.Pod:
		return sourceOf("pods", &corev1.Pod{}, c.CoreV1().Pods(ns)), nil
	case entity.Deployment:
		return sourceOf("deployments.apps", &appsv1.Deployment{}, c.AppsV1().Deployments(ns)), nil
	case entity.StatefulSet:
		return sourceOf("statefulsets.apps", &appsv1.StatefulSet{}, c.AppsV1().StatefulSets(ns)), nil
	case entity.DaemonSet:
		return sourceOf("daemonsets.apps", &appsv1.DaemonSet{}, c.AppsV1().DaemonSets(ns)), nil
	case entity.Job:
		return sourceOf("jobs.batch", &batchv1.Job{}, c.BatchV1().Jobs(ns)), nil
	case entity.CronJob:
		return sourceOf("cronjobs.batch", &batchv1.CronJob{}, c.BatchV1().CronJobs(ns)), nil
	case entity.ReplicaSet:
		return sourceOf("replicasets.apps", &appsv1.ReplicaSet{}, c.AppsV1().ReplicaSets(ns)), nil
	case entity.HorizontalPodAutoscaler:
		return sourceOf("horizontalpodautoscalers.autoscaling", &autoscalingv2.HorizontalPodAutoscaler{}, c.AutoscalingV2().HorizontalPodAutoscalers(ns)), nil
	case entity.ResourceQuota:
		return sourceOf("resourcequotas", &corev1.ResourceQuota{}, c.CoreV1().ResourceQuotas(ns)), nil
	case entity.Node:
		return sourceOf("nodes", &corev1.Node{}, c.CoreV1().Nodes()), nil
	case entity.Ingress:
		return sourceOf("ingresses.networking.k8s.io", &networkingv1.Ingress{}, c.NetworkingV1().Ingresses(ns)), nil
	}
	return source{}, fmt.Errorf("cluster: kind %s cannot be watched", kind)
}

// reflector ties a kind's source to its store. Failures are noted where requests are made:
// the reflector itself retries some of them silently.
func (w *Watcher) reflector(st *store) (*cache.Reflector, error) {
	src, err := w.source(st.kind)
	if err != nil {
		return nil, err
	}
	lw := &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			list, err := src.list(ctx, o)
			if err == nil {
				return slim(list), nil
			}
			if ctx.Err() == nil && !apierrors.IsResourceExpired(err) {
				st.note(func() { st.listErr = st.lists.explain(st.settings.Now(), "list", src.resource, err) })
			}
			return nil, err
		},
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			stream, err := src.watch(ctx, o)
			switch {
			case err == nil:
				st.opened(o.SendInitialEvents != nil)
			case ctx.Err() == nil:
				st.note(func() { st.openErr = st.opens.explain(st.settings.Now(), "watch", src.resource, err) })
			}
			return stream, err
		},
	}
	r := cache.NewReflectorWithOptions(cache.ToListWatcherWithWatchListSemantics(lw, w.settings.Client), src.example, st,
		cache.ReflectorOptions{Name: "k8guard-" + src.resource, Backoff: &wait.Backoff{
			Duration: 200 * time.Millisecond, Cap: w.settings.LongestPause, Steps: 8, Factor: 2, Jitter: 0.5}})
	r.WatchListPageSize = pageSize
	return r, nil
}

// slim drops what no rule reads from the objects of a page, so that a paged list stays small.
func slim(list runtime.Object) runtime.Object {
	_ = meta.EachListItem(list, func(o runtime.Object) error {
		if m, err := meta.Accessor(o); err == nil {
			m.SetManagedFields(nil)
		}
		return nil
	})
	return list
}
