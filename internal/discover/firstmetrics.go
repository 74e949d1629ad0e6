package discover

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/cluster"
	"github.com/k8guard/k8guard/internal/entity"
)

// firstMetrics are the first K8Guard's gauges, under its names and without labels, counted at
// each scrape. Its durations were those of a list of the whole cluster; here they are of the
// count, for a watch has no list to wait for.
type firstMetrics struct {
	d    *Discover
	desc map[string]*prometheus.Desc
}

// firstKind is one kind of the first K8Guard's metrics.
type firstKind struct {
	kind      entity.Kind
	name      string // in the counts
	duration  string // in the durations
	ownerless bool   // what no other object owns is counted apart
}

func firstKinds() []firstKind {
	return []firstKind{
		{entity.Namespace, "namespace", "namespaces", false}, {entity.Deployment, "deployment", "deploys", false},
		{entity.DaemonSet, "daemonset", "daemonsets", false}, {entity.Pod, "pod", "pods", true},
		{entity.Ingress, "ingresses", "ingresses", false}, {entity.Job, "job", "jobs", true}, {entity.CronJob, "cronjob", "cronjobs", false},
	}
}

func newFirstMetrics(d *Discover) *firstMetrics {
	m := &firstMetrics{d: d, desc: map[string]*prometheus.Desc{}}
	add := func(name, help string) { m.desc[name] = prometheus.NewDesc(name, help, nil, nil) }
	for _, k := range firstKinds() {
		add("k8guard_all_"+k.name+"_count", "Objects of kind "+string(k.kind)+".")
		add("k8guard_bad_"+k.name+"_count", "Objects of kind "+string(k.kind)+" that violate a rule.")
		add("fn_get_bad_"+k.duration+"_duration", "Seconds that counting them took.")
		if k.ownerless {
			add("k8guard_bad_"+k.name+"_wo_owner_count", "Objects of kind "+string(k.kind)+" that violate a rule and that no workload owns.")
		}
	}
	add("k8guard_all_image_count", "Names of images that nodes report, each node's counted.")
	add("fn_cache_all_images_duration", "Seconds that counting them took.")
	return m
}

// Describe implements prometheus.Collector.
func (m *firstMetrics) Describe(out chan<- *prometheus.Desc) {
	for _, desc := range m.desc {
		out <- desc
	}
}

// Collect implements prometheus.Collector.
func (m *firstMetrics) Collect(out chan<- prometheus.Metric) {
	send := func(name string, value float64) {
		out <- prometheus.MustNewConstMetric(m.desc[name], prometheus.GaugeValue, value)
	}
	for _, k := range firstKinds() {
		began := m.d.settings.Now()
		all, bad, ownerless := m.count(k)
		send("k8guard_all_"+k.name+"_count", float64(all))
		send("k8guard_bad_"+k.name+"_count", float64(bad))
		if k.ownerless {
			send("k8guard_bad_"+k.name+"_wo_owner_count", float64(ownerless))
		}
		send("fn_get_bad_"+k.duration+"_duration", m.d.settings.Now().Sub(began).Seconds())
	}
	began := m.d.settings.Now()
	images := 0
	m.d.settings.Watcher.Each(entity.Node, func(r *cluster.Record) { images += len(r.Stored.Bytes) })
	send("k8guard_all_image_count", float64(images))
	send("fn_cache_all_images_duration", m.d.settings.Now().Sub(began).Seconds())
}

func (m *firstMetrics) count(k firstKind) (all, bad, ownerless int) {
	m.d.settings.Watcher.Each(k.kind, func(r *cluster.Record) {
		all++
		switch {
		case m.d.isBad(r):
			bad++
			ownerless++
		case k.ownerless && !r.Over && r.Judgement != nil && slices.ContainsFunc(r.Judgement.Verdicts, violated):
			bad++
		}
	})
	return all, bad, ownerless
}

func violated(v v1.Verdict) bool { return v.State == v1.Violated }
