package enforce

import (
	"slices"
	"strings"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/policy"
)

// Rule 1. Off unless switched on, per rule and scope: the policy must select every case.
// Rules of availability and efficiency, and of a category that nobody thought of here, need
// a policy that names them.
func observeByDefault(f Facts) No {
	if f.Config.Mode != config.ModeEnforce {
		return no("enforce.mode is %q; write enforce.mode: enforce to act", f.Config.Mode)
	}
	if !f.Policy.Enforce {
		return no("policy %q warns only; write enforce: true there to act", f.Policy.Name)
	}
	for _, c := range f.Cases {
		if !policy.Matches(f.Policy.Match, f.Docket, c) {
			return no("policy %q does not select case %s (%s); an act answers only cases of its own policy", f.Policy.Name, c.ID, c.Rule)
		}
		category := f.Metas[c.Rule].Category
		if !category.ActsUnnamed() && !slices.Contains(f.Policy.Match.Rules, c.Rule) {
			return no("%s is about %q: a policy must name the rule in match.rules to act on it", c.Rule, category)
		}
	}
	return yes()
}

// builtInNamespaces are never acted on, whatever is configured: the system's own, and
// those where ingress controllers, networks, storage drivers and DNS install themselves.
// Exact names; only the platform makes namespaces. A label would protect nothing, for a
// tenant can set it.
func builtInNamespaces() []string {
	return []string{
		"kube-system", "kube-public", "kube-node-lease",
		"apisix", "contour", "emissary", "envoy-gateway-system", "gloo-system", "haproxy-controller", "haproxy-ingress",
		"ingress-nginx", "istio-ingress", "istio-system", "kong", "nginx-ingress", "openshift-ingress", "projectcontour", "traefik",
		"calico-apiserver", "calico-system", "cilium", "kube-flannel", "kube-ovn", "metallb-system", "openshift-multus",
		"openshift-ovn-kubernetes", "openshift-sdn", "tigera-operator",
		"democratic-csi", "longhorn-system", "openebs", "openshift-cluster-csi-drivers", "portworx", "rook-ceph",
		"synology-csi", "trident", "vmware-system-csi",
		"cert-manager", "coredns", "external-dns", "openshift-dns",
	}
}

// Rule 2. Additive protection, by exact namespace, by configured workload, and by what
// answers for the cluster's own writes.
func protected(f Facts) No {
	root := f.Docket.Root
	if f.Cluster.Namespace == "" {
		return no("K8Guard's own namespace is not known; write cluster.namespace")
	}
	if root.Namespace == f.Cluster.Namespace || slices.Contains(builtInNamespaces(), root.Namespace) {
		return human("namespace %s is protected, whatever is configured", root.Namespace)
	}
	if slices.Contains(f.Config.Protect.Namespaces, root.Namespace) {
		return human("namespace %s is protected by enforce.protect.namespaces", root.Namespace)
	}
	if slices.Contains(f.Config.Protect.Workloads, root.Namespace+"/"+root.Name) {
		return human("%s/%s is protected by enforce.protect.workloads", root.Namespace, root.Name)
	}
	if f.Around.Err != nil {
		return no("what depends on it cannot be read: %v", f.Around.Err)
	}
	if len(f.Around.Serves) > 0 {
		return human("it answers %s; scaled to zero, writes to the cluster fail", strings.Join(f.Around.Serves, ", "))
	}
	return yes()
}

// Rule 3. Only what has a way back: a workload to zero, a job suspended, an ingress with its
// manifest kept. A StatefulSet that loses its volumes with its replicas has none; nor has a
// Job whose pods run, for suspending kills them, or one that somebody else queues.
func reversibleOnly(f Facts) No {
	switch {
	case f.Live.LosesClaims:
		return human("its volumes are deleted when it is scaled (persistentVolumeClaimRetentionPolicy.whenScaled)")
	case f.Docket.Root.Kind == "Job" && f.Live.Active > 0:
		return human("%d of its pods run, and suspending it kills them", f.Live.Active)
	case f.Live.QueuedBy != "":
		return human("its suspension belongs to %s", f.Live.QueuedBy)
	case suspended(f.Docket.Root.Kind) && f.Action == docket.Suspend:
		return yes()
	case scaled(f.Docket.Root.Kind) && f.Action == docket.ScaleToZero:
		return yes()
	case f.Docket.Root.Kind == "Ingress" && f.Action == docket.DeleteIngress:
		return yes()
	}
	return human("a %s is notify-only (asked for %q)", f.Docket.Root.Kind, f.Action)
}

// Rule 17. Exemptions belong to the platform team; they are read again here.
func exemptions(f Facts) No {
	if f.Exempt != "" {
		return no("exempt: %s; a platform team gave it, until its expiry", f.Exempt)
	}
	return yes()
}
