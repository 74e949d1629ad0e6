package faults

import (
	"fmt"
	"strings"
)

// privileged is a deployment that violates and may be scaled to zero.
func privileged(ns, name string) string { return deployment(ns, name, true, 2, "[]") }

// twice is the same with two containers that violate: two cases.
func twice(ns, name string) string {
	return strings.Replace(privileged(ns, name), "      containers: [{", `      containers: [{name: other, image: "registry.stage.example/app:1", securityContext: {privileged: true}}, {`, 1)
}

func deployment(ns, name string, privileged bool, replicas int, args string) string {
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
      containers: [{name: app, image: "registry.stage.example/app:1", args: %[5]s, securityContext: {privileged: %[3]t}}]
`, ns, name, privileged, replicas, args)
}

// openIngress takes every host: it violates, and may be deleted.
func openIngress(ns, name string) string {
	return fmt.Sprintf(`---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: %[2]s, namespace: %[1]s}
spec:
  defaultBackend: {service: {name: %[2]s, port: {number: 80}}}
`, ns, name)
}
