package chart

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/k8guard/k8guard/tools/controlplane"
	"github.com/k8guard/k8guard/tools/controlplane/controlplanetest"
)

// surroundings are what a cluster has before K8Guard comes: its namespace, which enforces the
// restricted level, a priority, a disk, and the Prometheus operator's kinds.
const surroundings = `apiVersion: v1
kind: Namespace
metadata: {name: k8guard, labels: {pod-security.kubernetes.io/enforce: restricted}, annotations: {team/email-ids: platform@example.com}}
---
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: {name: platform}
value: 1000
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: servicemonitors.monitoring.coreos.com}
spec:
  group: monitoring.coreos.com
  names: {kind: ServiceMonitor, plural: servicemonitors}
  scope: Namespaced
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: prometheusrules.monitoring.coreos.com}
spec:
  group: monitoring.coreos.com
  names: {kind: PrometheusRule, plural: prometheusrules}
  scope: Namespaced
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]
`

// ground is a cluster that a chart is installed on.
type ground struct {
	*helm
	cluster *controlplane.Cluster
}

func newGround(t *testing.T) *ground {
	t.Helper()
	h := newHelm(t)
	c := controlplanetest.Start(t)
	h.kubeconfig = c.Kubeconfig()
	g := &ground{h, c}
	g.apply(surroundings)
	g.kubectl("wait", "--for=condition=Established", "--timeout=30s", "crd/servicemonitors.monitoring.coreos.com", "crd/prometheusrules.monitoring.coreos.com")
	g.until("the namespace is furnished", time.Minute, func() (string, bool) {
		out := g.kubectl("-n", "k8guard", "get", "serviceaccounts,configmaps", "-o", "name")
		return out, strings.Contains(out, "serviceaccount/default") && strings.Contains(out, "kube-root-ca.crt")
	})
	return g
}

func (g *ground) kubectl(args ...string) string {
	g.t.Helper()
	out, err := g.cluster.Kubectl(g.t.Context(), args...)
	if err != nil {
		g.t.Fatal(err)
	}
	return out
}

func (g *ground) apply(text string) {
	g.t.Helper()
	file := filepath.Join(g.t.TempDir(), "apply.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		g.t.Fatal(err)
	}
	if err := g.cluster.Apply(g.t.Context(), file); err != nil {
		g.t.Fatal(err)
	}
}

// until polls, and fails with what was last seen.
func (g *ground) until(what string, within time.Duration, done func() (string, bool)) {
	g.t.Helper()
	for end := time.Now().Add(within); ; time.Sleep(200 * time.Millisecond) {
		seen, ok := done()
		if ok {
			return
		}
		if time.Now().After(end) {
			g.t.Fatalf("not within %s: %s; it is %s", within, what, seen)
		}
	}
}

// everything are the names of all objects of the cluster, but those that come and go by themselves.
func (g *ground) everything() []string {
	g.t.Helper()
	kinds := strings.Fields(g.kubectl("api-resources", "--verbs=list,delete", "-o", "name"))
	kinds = slices.DeleteFunc(kinds, func(k string) bool { return strings.HasPrefix(k, "events") || k == "leases.coordination.k8s.io" })
	kinds = append(kinds, "leases.coordination.k8s.io")
	var list struct {
		Items []struct {
			Kind     string
			Metadata struct{ Namespace, Name string }
		}
	}
	if err := json.Unmarshal([]byte(g.kubectl("get", strings.Join(kinds, ","), "-A", "-o", "json")), &list); err != nil {
		g.t.Fatal(err)
	}
	var all []string
	for _, o := range list.Items {
		all = append(all, o.Kind+" "+o.Metadata.Namespace+"/"+o.Metadata.Name)
	}
	return all
}

// running waits until every pod of K8Guard's is there: admitted by the namespace's level, and
// for the fake node to take.
func (g *ground) running() {
	g.t.Helper()
	g.until("all replicas are there", time.Minute, func() (string, bool) {
		var list struct {
			Items []struct {
				Metadata struct{ Name string }
				Spec     struct{ Replicas int }
				Status   struct {
					Replicas, UpdatedReplicas int
					Conditions                []struct{ Type, Status, Message string }
				}
			}
		}
		out := g.kubectl("-n", "k8guard", "get", "deployments", "-o", "json")
		if err := json.Unmarshal([]byte(out), &list); err != nil {
			g.t.Fatal(err)
		}
		for _, d := range list.Items {
			for _, c := range d.Status.Conditions {
				if c.Type == "ReplicaFailure" && c.Status == "True" {
					g.t.Fatalf("%s: %s", d.Metadata.Name, c.Message)
				}
			}
			if d.Status.Replicas != d.Spec.Replicas || d.Status.UpdatedReplicas != d.Spec.Replicas {
				return out, false
			}
		}
		return out, len(list.Items) > 0
	})
}

// leaves waits until nothing is there beside what was before, but for this.
func (g *ground) leaves(before, want []string) {
	g.t.Helper()
	g.until(fmt.Sprintf("what is left is %v", want), time.Minute, func() (string, bool) {
		left := slices.DeleteFunc(g.everything(), func(o string) bool { return slices.Contains(before, o) })
		return fmt.Sprint(left), slices.Equal(left, want)
	})
}
