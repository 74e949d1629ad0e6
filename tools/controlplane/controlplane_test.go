package controlplane_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/k8guard/k8guard/tools/controlplane"
	"github.com/k8guard/k8guard/tools/controlplane/audit"
	"github.com/k8guard/k8guard/tools/controlplane/controlplanetest"
)

const privileged = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: default}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - {name: web, image: "registry.example/web:1", securityContext: {privileged: true}}
`

func TestControlPlane(t *testing.T) {
	image := corev1.ContainerImage{Names: []string{"registry.example/web:1"}, SizeBytes: 1234567}
	start := time.Now()
	one := controlplanetest.StartWith(t, controlplane.Options{Images: []corev1.ContainerImage{image}})
	t.Logf("started in %s", time.Since(start))
	two := controlplanetest.StartWith(t, controlplane.Options{Nodes: 3})
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()

	if n := len(strings.Fields(run(t, two, "get", "nodes", "-o", "name"))); n != 3 {
		t.Errorf("the second cluster has %d nodes, want 3", n)
	}
	runsPrivileged(ctx, t, one)
	if got := run(t, two, "get", "deployments", "-A", "-o", "name"); got != "" {
		t.Errorf("the second cluster has the first one's %s", got)
	}
	if size := run(t, one, "get", "node", "node-0", "-o", "jsonpath={.status.images[0].sizeBytes}"); size != "1234567" {
		t.Errorf("the node's image has size %q", size)
	}
	auditHasTheBody(ctx, t, one)
	refusesWhoHasNoRights(ctx, t, one)
	restarts(ctx, t, one)
	stops(t, one)
	if run(t, two, "get", "--raw", "/readyz") != "ok" {
		t.Error("the second cluster is not ready after the first one's end")
	}
}

func run(t *testing.T, c *controlplane.Cluster, args ...string) string {
	t.Helper()
	out, err := c.Kubectl(t.Context(), args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func runsPrivileged(ctx context.Context, t *testing.T, c *controlplane.Cluster) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "web.yaml")
	if err := os.WriteFile(file, []byte(privileged), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := c.Apply(ctx, file); err != nil {
		t.Fatal(err)
	}
	run(t, c, "rollout", "status", "deployment/web", "--timeout=60s")
	if phase := run(t, c, "get", "pods", "-l", "app=web", "-o", "jsonpath={.items[*].status.phase}"); phase != "Running" {
		t.Errorf("the pods are %q", phase)
	}
}

func auditHasTheBody(ctx context.Context, t *testing.T, c *controlplane.Cluster) {
	t.Helper()
	is := func(e audit.Event) bool {
		return e.Verb == "create" && e.ObjectRef.Resource == "deployments" && e.ObjectRef.Name == "web"
	}
	events, err := audit.Wait(ctx, c.AuditLog(), func(events []audit.Event) bool {
		for _, e := range audit.Writes(events, "admin") {
			if is(e) {
				return true
			}
		}
		return false
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range audit.Writes(events, "admin") {
		if !is(e) {
			continue
		}
		var body struct {
			Spec struct{ Template corev1.PodTemplateSpec }
		}
		if err := json.Unmarshal(e.RequestObject, &body); err != nil {
			t.Fatal(err)
		}
		containers := body.Spec.Template.Spec.Containers
		if e.ResponseStatus.Code != 201 || len(containers) != 1 || !*containers[0].SecurityContext.Privileged {
			t.Errorf("code %d, body %s", e.ResponseStatus.Code, e.RequestObject)
		}
	}
}

func refusesWhoHasNoRights(ctx context.Context, t *testing.T, c *controlplane.Cluster) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "account")
	if err := c.AccountKubeconfig(ctx, "default", "default", file); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the kubeconfig: %v, %v", info, err)
	}
	who := run(t, c, "--kubeconfig="+file, "auth", "whoami", "-o", "jsonpath={.status.userInfo.username}")
	if who != "system:serviceaccount:default:default" {
		t.Errorf("the account is %q", who)
	}
	out, err := c.Kubectl(ctx, "--kubeconfig="+file, "delete", "deployment", "web")
	if err == nil || !strings.Contains(err.Error(), "Forbidden") {
		t.Errorf("got %q, %v", out, err)
	}
	if _, err := audit.Wait(ctx, c.AuditLog(), func(events []audit.Event) bool {
		writes := audit.Writes(events, who)
		return len(writes) > 0 && writes[len(writes)-1].Verb == "delete" && writes[len(writes)-1].ResponseStatus.Code == 403
	}); err != nil {
		t.Error(err)
	}
}

func restarts(ctx context.Context, t *testing.T, c *controlplane.Cluster) {
	t.Helper()
	url, before := c.URL(), c.Pids()["kube-apiserver"]
	if err := c.RestartAPIServer(ctx); err != nil {
		t.Fatal(err)
	}
	if c.URL() != url || c.Pids()["kube-apiserver"] == before {
		t.Errorf("url %s, pid %d as before %d", c.URL(), c.Pids()["kube-apiserver"], before)
	}
	run(t, c, "scale", "deployment/web", "--replicas=2")
	run(t, c, "rollout", "status", "deployment/web", "--timeout=90s")
}

func stops(t *testing.T, c *controlplane.Cluster) {
	t.Helper()
	pids := c.Pids()
	start := time.Now()
	for range 2 {
		if err := c.Stop(); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("stopped in %s", time.Since(start))
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("stop took %s", took)
	}
	if len(pids) != 5 {
		t.Errorf("pids: %v", pids)
	}
	for name, pid := range pids {
		if syscall.Kill(pid, 0) == nil {
			t.Errorf("%s still runs as %d", name, pid)
		}
	}
}
