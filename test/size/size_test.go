// Package size measures how large one K8Guard is, and how soon it sees, over a real control plane.
//
// Purpose: the figures of docs/operators/sizing.md. It says what it measured and judges nothing.
//
// Concurrency: one test, one control plane.
//
// Guarantees: memory is what the kernel says, time is between the API server's answer to a
// create and K8Guard's own answer that something stands there.
//
// It will not: run unless K8GUARD_PODS says how many pods; it takes a quarter of an hour for 10,000.
package size

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/tools/stage"
	"github.com/k8guard/k8guard/tools/stage/stagetest"
)

// A tenth of the workloads violates; each has some pods; so many are made to see how soon they are seen.
const violating, podsEach, late = 10, 5, 200

// TestHowLarge logs the memory of k8guard run over so many pods, and how soon it sees a violation:
//
//	K8GUARD_PODS=10000 go test ./test/size -v -timeout 60m
func TestHowLarge(t *testing.T) {
	pods, err := strconv.Atoi(os.Getenv("K8GUARD_PODS"))
	if err != nil {
		t.Skip("set K8GUARD_PODS=10000 to measure over so many pods: it takes a quarter of an hour")
	}
	p := newPlane(t)
	p.fill(pods / podsEach)
	p.await(pods)
	begun := time.Now()
	run, err := p.Run(t.Context())
	must(t, err)
	must(t, p.WaitReady(t.Context(), run))
	t.Logf("%d pods of %d deployments: all read and judged after %s", pods, pods/podsEach, time.Since(begun).Round(10*time.Millisecond))
	time.Sleep(time.Minute)
	before := usage(t, run)
	t.Logf("after a minute: %s", before)
	time.Sleep(time.Minute)
	t.Logf("a minute of rest takes %s of processor time", usage(t, run).Processor-before.Processor)
	p.see(late)
	t.Logf("at the end: %s", usage(t, run))
}

type plane struct {
	*stage.Stage
	t      *testing.T
	client *kubernetes.Clientset
}

func newPlane(t *testing.T) plane {
	t.Helper()
	s := stagetest.New(t, stage.Options{Progress: t.Output(), Change: func(c *config.Config) { c.Enforce.Mode = config.ModeSafe }})
	rest, err := clientcmd.BuildConfigFromFlags("", s.Cluster.Kubeconfig())
	must(t, err)
	client, err := kubernetes.NewForConfig(rest)
	must(t, err)
	return plane{s, t, client}
}

// fill makes workloads, a hundred in each namespace.
func (p plane) fill(workloads int) {
	p.t.Helper()
	var text strings.Builder
	for i := range workloads {
		ns := fmt.Sprintf("team-%d", i/100)
		if i%100 == 0 {
			fmt.Fprintf(&text, "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: %[1]s, annotations: {team/email-ids: %[1]s@stage.example}}\n", ns)
		}
		text.WriteString(workload(ns, fmt.Sprintf("app-%d", i), i%violating == 0, podsEach))
		if i%100 == 99 || i == workloads-1 {
			p.apply(text.String())
			text.Reset()
		}
	}
}

func workload(ns, name string, bad bool, replicas int) string {
	return fmt.Sprintf(`---
apiVersion: apps/v1
kind: Deployment
metadata: {name: %[2]s, namespace: %[1]s}
spec:
  replicas: %[4]d
  selector: {matchLabels: {app: %[2]s}}
  template:
    metadata: {labels: {app: %[2]s}}
    spec:
      containers: [{name: app, image: "registry.stage.example/app:1", securityContext: {privileged: %[3]t}}]
`, ns, name, bad, replicas)
}

func (p plane) apply(text string) {
	p.t.Helper()
	file := filepath.Join(p.t.TempDir(), "objects.yaml")
	must(p.t, os.WriteFile(file, []byte(text), 0o600))
	must(p.t, p.Cluster.Apply(p.t.Context(), file))
}

// await waits until the controllers have made the pods.
func (p plane) await(pods int) {
	p.t.Helper()
	for end := time.Now().Add(40 * time.Minute); ; time.Sleep(5 * time.Second) {
		found, err := p.client.CoreV1().Pods("").List(p.t.Context(), metav1.ListOptions{Limit: 1})
		must(p.t, err)
		n := len(found.Items)
		if found.RemainingItemCount != nil {
			n += int(*found.RemainingItemCount)
		}
		if n >= pods {
			return
		}
		if time.Now().After(end) {
			p.t.Fatalf("%d pods of %d", n, pods)
		}
	}
}

// see makes violations one after the other, and logs how soon each is on record.
func (p plane) see(n int) {
	p.t.Helper()
	p.apply("apiVersion: v1\nkind: Namespace\nmetadata: {name: late, annotations: {team/email-ids: late@stage.example}}\n")
	template, err := p.client.AppsV1().Deployments("team-0").Get(p.t.Context(), "app-0", metav1.GetOptions{})
	must(p.t, err)
	var took []time.Duration
	for i := range n {
		one := template.DeepCopy()
		one.ObjectMeta = metav1.ObjectMeta{Namespace: "late", Name: fmt.Sprintf("late-%d", i)}
		one.Spec.Replicas = new(int32)
		_, err := p.client.AppsV1().Deployments("late").Create(p.t.Context(), one, metav1.CreateOptions{})
		must(p.t, err)
		from := time.Now()
		for p.standing(p.t.Context(), "late", one.Name) == 0 {
			if time.Since(from) > time.Minute {
				p.t.Fatalf("%s is not seen after a minute", one.Name)
			}
			time.Sleep(2 * time.Millisecond)
		}
		took = append(took, time.Since(from))
	}
	slices.Sort(took)
	p.t.Logf("%d violations are seen: p50 %s, p99 %s, at most %s after the API server had them", n, took[n/2], took[n*99/100], took[n-1])
}

// standing is how many findings K8Guard has of an object that are no cases yet.
func (p plane) standing(ctx context.Context, ns, name string) int {
	var found struct{ Total int }
	if err := p.Get(ctx, "/api/v1/cases?limit=1&status=standing&namespace="+ns+"&q="+name, &found); err != nil {
		return 0
	}
	return found.Total
}

func usage(t *testing.T, run *stage.Process) stage.Usage {
	t.Helper()
	used, err := run.Usage()
	must(t, err)
	return used
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
