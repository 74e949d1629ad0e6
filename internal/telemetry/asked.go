package telemetry

import (
	"net/http"
	"slices"
	"strings"
)

// other stands for every kind that is not among those that K8Guard works with.
const other = "other"

// asked says what a request asks of the Kubernetes API.
func asked(r *http.Request) (verb, kind string) {
	resource, named := resourceOf(r.URL.Path)
	kind, known := kindOf()[resource]
	if !known {
		kind = other
	}
	return verbOf(r, named), kind
}

func verbOf(r *http.Request, named bool) string {
	switch r.Method {
	case http.MethodGet:
		switch {
		case named:
			return "get"
		case r.URL.Query().Get("watch") != "":
			return "watch"
		}
		return "list"
	case http.MethodPost:
		return "create"
	case http.MethodPut:
		return "update"
	case http.MethodPatch:
		return "patch"
	case http.MethodDelete:
		if named {
			return "delete"
		}
		return "deletecollection"
	}
	return other
}

// resourceOf takes the resource from a path, and whether one object of it is named. The
// server's address may have a path of its own in front.
func resourceOf(path string) (resource string, named bool) {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	at := slices.IndexFunc(parts, func(p string) bool { return p == "api" || p == "apis" })
	if at < 0 {
		return "", true // a page of the server's: /version, /readyz
	}
	skip := 2 // api and the version
	if parts[at] == "apis" {
		skip = 3 // and the group
	}
	if len(parts) <= at+skip {
		return "", true // which resources there are
	}
	rest := parts[at+skip:]
	if rest[0] == "namespaces" && len(rest) > 2 && rest[2] != "status" && rest[2] != "finalize" {
		rest = rest[2:]
	}
	return rest[0], len(rest) > 1
}

// kindOf lists what K8Guard reads and writes.
func kindOf() map[string]string {
	return map[string]string{
		"namespaces": "Namespace", "nodes": "Node", "pods": "Pod", "deployments": "Deployment", "statefulsets": "StatefulSet",
		"daemonsets": "DaemonSet", "replicasets": "ReplicaSet", "jobs": "Job", "cronjobs": "CronJob", "ingresses": "Ingress",
		"horizontalpodautoscalers": "HorizontalPodAutoscaler", "resourcequotas": "ResourceQuota", "poddisruptionbudgets": "PodDisruptionBudget",
		"services": "Service", "configmaps": "ConfigMap", "leases": "Lease", "events": "Event",
		"tokenreviews": "TokenReview", "subjectaccessreviews": "SubjectAccessReview", "selfsubjectreviews": "SelfSubjectReview",
		"selfsubjectaccessreviews": "SelfSubjectAccessReview", "selfsubjectrulesreviews": "SelfSubjectRulesReview",
		"validatingadmissionpolicies": "ValidatingAdmissionPolicy", "validatingadmissionpolicybindings": "ValidatingAdmissionPolicyBinding",
		"customresourcedefinitions": "CustomResourceDefinition",
	}
}
