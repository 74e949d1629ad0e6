package enforce

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/k8guard/k8guard/internal/docket"
)

// gitOps names the tool that a label's or annotation's key is a mark of, or "". The whole
// domain counts: an object may bear only a sync wave, and be tracked in another way.
func gitOps(key string) string {
	domain, _, _ := strings.Cut(key, "/")
	switch {
	case domain == "argocd.argoproj.io":
		return "Argo CD"
	case domain == "toolkit.fluxcd.io" || strings.HasSuffix(domain, ".toolkit.fluxcd.io"):
		return "Flux"
	}
	return ""
}

// builtInGroup reports whether the API server itself serves this apiVersion's group. The
// list is exact: ends such as .k8s.io are custom resources' too (autoscaling.k8s.io).
func builtInGroup(apiVersion string) bool {
	group, _, found := strings.Cut(apiVersion, "/")
	return !found || slices.Contains([]string{"apps", "batch", "autoscaling", "policy", "networking.k8s.io",
		"rbac.authorization.k8s.io", "storage.k8s.io", "scheduling.k8s.io", "node.k8s.io", "coordination.k8s.io",
		"discovery.k8s.io", "events.k8s.io", "certificates.k8s.io", "admissionregistration.k8s.io",
		"apiextensions.k8s.io", "apiregistration.k8s.io", "flowcontrol.apiserver.k8s.io", "resource.k8s.io"}, group)
}

// Rule 12. Act on the root only, and only where nobody else manages it.
func rootAndManager(f Facts) No {
	for _, o := range f.Live.Owners {
		switch {
		case !builtInGroup(o.APIVersion):
			return human("operator-managed: owned by %q %q", o.Kind, o.Name)
		case o.Controller != nil && *o.Controller && slices.Contains([]string{"Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "CronJob"}, o.Kind):
			return human("not a root: controlled by %q %q", o.Kind, o.Name)
		}
	}
	for _, key := range slices.Concat(keys(f.Live.Labels), keys(f.Live.Annotations)) {
		if tool := gitOps(key); tool != "" {
			return human("managed by %s (%s): it would put the object back; fix it at the source", tool, key)
		}
	}
	for _, c := range f.Docket.Cases {
		if c.State == docket.Contested {
			return human("contested: someone or something put it back before")
		}
	}
	return yes()
}

// keys are sorted, so that a refusal reads the same each time.
func keys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }

// Rule 13. Availability: scaling passes by disruption budgets, and autoscalers fight it.
func availability(f Facts) No {
	switch {
	case f.Around.Err != nil:
		return no("disruption budgets and autoscalers cannot be read: %v", f.Around.Err)
	case len(f.Around.Disruption) > 0:
		return human("PodDisruptionBudget %s matches it", strings.Join(f.Around.Disruption, ", "))
	case len(f.Around.Autoscalers) > 0:
		return human("autoscaler %s targets it; its owner can pause that", strings.Join(f.Around.Autoscalers, ", "))
	}
	return yes()
}

// losing are parts of annotation keys whose controllers take down what an undo cannot
// bring back: names in DNS, certificates, load balancers.
func losing() []string {
	return []string{"external-dns", "cert-manager.io", "certmanager", "acme", "load-balancer", "loadbalancer", "static-ip",
		"alb.ingress", "appgw.ingress", "ingress.gcp", "gce.", "networking.gke.io", "dns.gardener.cloud", "cert.gardener.cloud"}
}

// Rule 14. The way back exists: prior state on record, no cool-off, and for an ingress
// nothing that a new object would not get back.
func undoPossible(f Facts) No {
	e := f.Enforcement
	switch {
	case f.Now.Before(f.Docket.CoolOffUntil):
		return no("cooling off after an undo until %s", f.Docket.CoolOffUntil.UTC().Format("2006-01-02 15:04:05 MST"))
	case e.Prior.ResourceVersion == "" || e.Prior.ResourceVersion != f.Live.ResourceVersion:
		return no("the prior state on record is not the object's present one")
	case f.Action == docket.ScaleToZero && (e.Prior.Replicas == nil || *e.Prior.Replicas < 1 || *e.Prior.Replicas != f.Live.Replicas):
		return no("the replica count to restore is not on record, or nothing runs")
	case f.Action == docket.Suspend && (e.Prior.Suspended == nil || *e.Prior.Suspended || f.Live.Suspended):
		return no("it is suspended already, or whether it was is not on record")
	case f.Action == docket.DeleteIngress && !json.Valid(e.Prior.Manifest):
		return no("the manifest to restore is not on record")
	case f.Action != docket.DeleteIngress:
		return yes()
	case len(f.Live.Finalizers) > 0:
		return human("finalizers (%s) run clean-up that an undo cannot take back", strings.Join(f.Live.Finalizers, ", "))
	case len(f.Live.Owners) > 0:
		return human("it has owner references, which an undo may not get back")
	case f.Live.LoadBalancer:
		return human("a load balancer gave it an address, which an undo may not get back")
	}
	for _, key := range keys(f.Live.Annotations) {
		for _, part := range losing() {
			if strings.Contains(key, part) {
				return human("annotation %s: its controller removes what an undo cannot restore; the owner can delete the ingress", key)
			}
		}
	}
	return yes()
}
