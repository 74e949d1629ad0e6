package discover

import (
	"fmt"
	"log/slog"
	"runtime"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/cluster"
	"github.com/k8guard/k8guard/internal/entity"
)

// BenchmarkPodEvent is one pod's arrival: judged, and indexed under its ReplicaSet. The heap
// figure is for what discover keeps of a pod, its record included.
func BenchmarkPodEvent(b *testing.B) {
	log := slog.New(slog.DiscardHandler)
	w, err := cluster.New(cluster.Settings{Client: fake.NewClientset(), Now: time.Now, Log: log})
	if err != nil {
		b.Fatal(err)
	}
	d, err := New(Settings{Watcher: w, Engine: bad(b), Bus: newRecorder(), Cluster: v1.Cluster{UID: "c"}, Resync: time.Hour,
		Owners: people, Now: time.Now, Log: log, Registerer: prometheus.NewRegistry()})
	if err != nil {
		b.Fatal(err)
	}
	var before, after runtime.MemStats
	kept := make([]*cluster.Record, 0, b.N)
	runtime.GC()
	runtime.ReadMemStats(&before)
	b.ResetTimer()
	for i := range b.N {
		kept = append(kept, arrive(b, d, i))
	}
	b.StopTimer()
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(b.N), "heap-B/pod")
	runtime.KeepAlive(kept)
	runtime.KeepAlive(d)
}

func arrive(b *testing.B, d *Discover, i int) *cluster.Record {
	b.Helper()
	set := fmt.Sprintf("web-%d", i/20)
	labels := map[string]string{"app": set, appsv1.DefaultDeploymentUniqueLabelKey: "abcdef"}
	name := fmt.Sprintf("%s-%d", set, i)
	pod := &corev1.Pod{ObjectMeta: meta("shop", name, labels, claim("ReplicaSet", set, set)), Spec: spec("bad:1")}
	pod.UID = types.UID(fmt.Sprintf("%036d", i))
	pod.Spec.NodeName = fmt.Sprintf("node-%d", i)
	e, err := entity.From(pod)
	if err != nil {
		b.Fatal(err)
	}
	r := &cluster.Record{Kind: e.Kind, Namespace: e.Namespace, Name: e.Name, UID: e.UID, ResourceVersion: e.ResourceVersion,
		Controller: cluster.Controller{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: set, UID: set}, Judgement: d.Judge(e)}
	d.index(nil, r)
	return r
}
