package faults

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/config"
)

// accountYAML is discover's account once more, with rights that a test may take away.
const accountYAML = `---
apiVersion: v1
kind: ServiceAccount
metadata: {name: faults-discover, namespace: k8guard}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: faults-discover}
rules:
  - {apiGroups: [""], resources: [namespaces], verbs: [get, list, watch]}
  - {apiGroups: [""], resources: [pods, nodes, resourcequotas], verbs: [list, watch]}
  - {apiGroups: [apps], resources: [deployments, statefulsets, daemonsets, replicasets], verbs: [list, watch]}
  - {apiGroups: [batch], resources: [jobs, cronjobs], verbs: [list, watch]}
  - {apiGroups: [networking.k8s.io], resources: [ingresses], verbs: [list, watch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: faults-autoscalers}
rules:
  - {apiGroups: [autoscaling], resources: [horizontalpodautoscalers], verbs: [list, watch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: faults-discover}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: faults-discover}
subjects: [{kind: ServiceAccount, name: faults-discover, namespace: k8guard}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: faults-discover, namespace: k8guard-no-hpa}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: k8guard-discover}
subjects: [{kind: ServiceAccount, name: faults-discover, namespace: k8guard}]
`

const autoscalersYAML = `---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: faults-autoscalers}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: faults-autoscalers}
subjects: [{kind: ServiceAccount, name: faults-discover, namespace: k8guard}]
`

// noAutoscalers: the right to list autoscalers is revoked, and no other. SINGLE_REPLICA, which
// needs them, becomes unknown and is not resolved; the rest goes on; with the right it goes on.
func noAutoscalers(t *testing.T, p plane) {
	h := newHouse(t, p, "no-hpa", nil)
	h.apply(accountYAML + autoscalersYAML)
	own := filepath.Join(h.dir, "own.kubeconfig")
	if err := p.Cluster.AccountKubeconfig(t.Context(), "k8guard", "faults-discover", own); err != nil {
		t.Fatal(err)
	}
	h.rewrite(func(c *config.Config) { c.Cluster.Kubeconfig = own })
	h.apply(deployment(h.ns, "single", false, 1, "[]"))
	h.start()
	h.planned(20*time.Second, "single", "a policy must name it")
	h.end()
	h.kubectl("delete", "clusterrolebinding", "faults-autoscalers")
	h.begin()
	said := h.log(60*time.Second, "may not list horizontalpodautoscalers", "may not watch horizontalpodautoscalers")
	plan := h.planned(20*time.Second, "single", "cannot be judged")
	if r := h.rows("single"); len(r) != 1 || r[0].Status == "resolved" {
		t.Errorf("the case: %+v", r)
	}
	h.golden("no-hpa", "log: "+said, "readyz: "+h.readyz(), "plan: "+plan)
	h.apply(privileged(h.ns, "web"))
	h.acted(30*time.Second, acted)
	h.apply(autoscalersYAML)
	h.planned(40*time.Second, "single", "a policy must name it")
	h.until(20*time.Second, "it is ready", func() bool { return strings.HasPrefix(h.readyz(), "200") })
}

// debug: somebody debugs a pod of a clean deployment with a privileged container. That is a
// case of its own, told, and the deployment is never scaled.
func debug(t *testing.T, p plane) {
	h := newHouse(t, p, "debug", nil)
	h.start()
	h.apply(deployment(h.ns, "web", false, 2, "[]"))
	pod := ""
	h.until(20*time.Second, "a pod runs", func() bool {
		pod, _, _ = strings.Cut(h.kubectl("-n", h.ns, "get", "pods", "-o", "name", "--field-selector=status.phase=Running"), "\n")
		return pod != ""
	})
	h.kubectl("-n", h.ns, "debug", pod, "--image=registry.stage.example/tool:1", "--profile=sysadmin", "-c", "look", "--", "sleep", "1d")
	plan := h.planned(30*time.Second, "web", "never acted on")
	time.Sleep(3 * time.Second)
	h.wantActs()
	if n := h.replicas("web"); n != 2 || h.mails() < warnings {
		t.Errorf("%d replicas, %d mails", n, h.mails())
	}
	var sources []string
	for _, r := range h.rows("web") {
		sources = append(sources, r.Case.Rule+" of "+r.Case.Source+": "+r.Case.Message)
	}
	h.golden("debug", append(sources, "plan: "+plan)...)
}
