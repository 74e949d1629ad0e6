package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/k8guard/k8guard/test/judge"
)

const namespaceYAML = `---
apiVersion: v1
kind: Namespace
metadata: {name: %[1]s, annotations: {team/email-ids: %[2]s}}
`

const workloadYAML = `---
apiVersion: apps/v1
kind: %[4]s
metadata: {name: %[2]s, namespace: %[1]s}
spec:
  replicas: 2
  selector: {matchLabels: {app: %[2]s}}
  template:
    metadata: {labels: {app: %[2]s}}
    spec:
      containers: [{name: app, image: "registry.stage.example/app:1", securityContext: {privileged: %[3]t}}]
`

// A Job that wants no pod runs for ever, and may be suspended.
const jobYAML = `---
apiVersion: batch/v1
kind: Job
metadata: {name: %[2]s, namespace: %[1]s}
spec:
  parallelism: 0
  template:
    spec:
      restartPolicy: Never
      containers: [{name: app, image: "registry.stage.example/app:1", securityContext: {privileged: %[3]t}}]
`

const cronJobYAML = `---
apiVersion: batch/v1
kind: CronJob
metadata: {name: %[2]s, namespace: %[1]s}
spec:
  schedule: "0 0 1 1 *"
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers: [{name: app, image: "registry.stage.example/app:1", securityContext: {privileged: %[3]t}}]
`

// workload is one of each kind that can be acted on, in turn.
func workload(namespace string, i int, privileged bool) string {
	kinds := []string{"Deployment", "StatefulSet", "CronJob", "ReplicaSet", "Job"}
	kind := kinds[i%len(kinds)]
	form := map[string]string{"Job": jobYAML, "CronJob": cronJobYAML}[kind]
	if form == "" {
		return fmt.Sprintf(workloadYAML, namespace, fmt.Sprintf("w%d", i), privileged, kind)
	}
	return fmt.Sprintf(form, namespace, fmt.Sprintf("w%d", i), privileged)
}

const ingressYAML = `---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: %[2]s, namespace: %[1]s, labels: {app: %[2]s}}
spec:
  defaultBackend: {service: {name: %[2]s, port: {number: 80}}}
`

// violate fills one namespace with privileged workloads of every kind and ingresses that take
// every host, and notes them.
func (s *scene) violate(namespace string, workloads, ingresses int) {
	s.t.Helper()
	owner := namespace + "@stage.example"
	s.owners[namespace] = []string{owner}
	text := fmt.Sprintf(namespaceYAML, namespace, owner)
	for i := range workloads {
		text += workload(namespace, i, true)
	}
	for i := range ingresses {
		text += fmt.Sprintf(ingressYAML, namespace, fmt.Sprintf("i%d", i))
	}
	s.apply(text)
	before := len(s.roots)
	for _, o := range s.objects(namespace) {
		if o.Metadata.Name != "clean" && (o.Kind != "Ingress" && workloads > 0 || o.Kind == "Ingress" && ingresses > 0) {
			name := strings.Join([]string{o.Kind, namespace, o.Metadata.Name}, "/")
			s.roots[o.Metadata.UID], s.violations[wrong(o)] = name, name
		}
	}
	if n := len(s.roots) - before; n != workloads+ingresses {
		s.t.Fatalf("namespace %s holds %d new objects, want %d", namespace, n, workloads+ingresses)
	}
}

// wrong is what the object above does wrong.
func wrong(o object) judge.Violation {
	if o.Kind == "Ingress" {
		return judge.Violation{UID: o.Metadata.UID, Rule: "INGRESS_HOST_INVALID", Source: "(any host)"}
	}
	return judge.Violation{UID: o.Metadata.UID, Rule: "PRIVILEGED", Source: "app"}
}

func (s *scene) apply(text string) {
	s.t.Helper()
	file := filepath.Join(s.dir, "apply.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	if err := s.Cluster.Apply(s.t.Context(), file); err != nil {
		s.t.Fatal(err)
	}
}

type object struct {
	Kind     string
	Metadata struct {
		Name, UID, DeletionTimestamp string
		OwnerReferences              []struct{ Kind string }
	}
	Spec struct {
		Replicas *int
		Suspend  *bool
	}
}

// stopped reports whether nothing of it is started.
func (o object) stopped() bool {
	return o.Spec.Replicas != nil && *o.Spec.Replicas == 0 || o.Spec.Suspend != nil && *o.Spec.Suspend
}

// objects are what the API server has, by the administrator's eyes.
func (s *scene) objects(namespace string) []object {
	s.t.Helper()
	out, err := s.Cluster.Kubectl(s.t.Context(), "-n", namespace, "get", "deployments,statefulsets,replicasets,cronjobs,jobs,ingresses", "-o", "json")
	if err != nil {
		s.t.Fatal(err)
	}
	var list struct{ Items []object }
	if err := json.Unmarshal([]byte(out), &list); err != nil {
		s.t.Fatal(err)
	}
	return slices.DeleteFunc(list.Items, func(o object) bool { return len(o.Metadata.OwnerReferences) > 0 })
}
