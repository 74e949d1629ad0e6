package enforce

import (
	"encoding/json"
	"testing"
	"time"

	"k8s.io/utils/ptr"

	"github.com/k8guard/k8guard/internal/docket"
)

func label(key string) func(*Facts) {
	return func(f *Facts) { f.Live.Labels = map[string]string{key: ""} }
}

func annotation(key string) func(*Facts) {
	return func(f *Facts) { f.Live.Annotations = map[string]string{key: "x"} }
}

func rows12() []row {
	var rows []row
	for _, g := range []string{"example.com/v1", "argoproj.io/v1alpha1", "cluster.x-k8s.io/v1beta1", "autoscaling.k8s.io/v1",
		"snapshot.storage.k8s.io/v1", "app.k8s.io/v1beta1", "apps.example.com/v1", "Apps/v1", "/v1"} {
		rows = append(rows,
			row{name: "owned by " + g, change: ownedBy(g, "Thing", nil), says: []string{"operator-managed", `"Thing" "above"`}, human: true},
			row{name: "controlled by " + g, change: ownedBy(g, "Deployment", ptr.To(true)), says: []string{"operator-managed"}, human: true})
	}
	for _, k := range []string{"Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "CronJob"} {
		rows = append(rows, row{name: "controlled by a " + k, change: ownedBy("apps/v1", k, ptr.To(true)),
			says: []string{"not a root", `"` + k + `" "above"`}, human: true})
	}
	for key, tool := range map[string]string{"argocd.argoproj.io/tracking-id": "Argo CD", "argocd.argoproj.io/sync-wave": "Argo CD",
		"kustomize.toolkit.fluxcd.io/name": "Flux", "helm.toolkit.fluxcd.io/namespace": "Flux", "toolkit.fluxcd.io/x": "Flux"} {
		rows = append(rows,
			row{name: "label " + key, change: label(key), says: []string{"managed by " + tool, key, "fix it at the source"}, human: true},
			row{name: "annotation " + key, change: annotation(key), says: []string{"managed by " + tool, key}, human: true})
	}
	return append(rows,
		row{name: "second owner is custom", change: func(f *Facts) {
			ownedBy("v1", "ConfigMap", ptr.To(true))(f)
			ownedBy("example.com/v1", "Thing", ptr.To(false))(f)
		}, says: []string{"operator-managed"}, human: true},
		row{name: "hostile owner name", change: func(f *Facts) {
			ownedBy("example.com/v1", "T\r\n\x1b[2J", nil)(f)
		}, says: []string{`"T\r\n\x1b[2J"`}, human: true},
		row{name: "contested", change: func(f *Facts) {
			f.Docket.Cases = append(f.Docket.Cases, docket.Case{ID: "c-8", State: docket.Contested})
		}, says: []string{"contested", "put it back"}, human: true},
		row{name: "a ConfigMap as controller", change: ownedBy("v1", "ConfigMap", ptr.To(true))},
		row{name: "a Service of the core group", change: ownedBy("v1", "Service", nil)},
		row{name: "a deployment that does not control", change: ownedBy("apps/v1", "Deployment", ptr.To(false))},
		row{name: "a domain that only ends alike", change: label("notargocd.argoproj.io.example.com/x")},
		row{name: "not a domain of Flux", change: label("faketoolkit.fluxcd.io/x")},
		row{name: "Helm's own label", change: label("app.kubernetes.io/managed-by")})
}

func TestGate12RootAndManager(t *testing.T) { prove(t, 12, "root-and-manager", rows12()) }

func rows13() []row {
	return []row{
		{name: "unread", change: func(f *Facts) { f.Around.Err = errTest() }, says: []string{"budgets and autoscalers cannot be read", "connection refused"}, also: []int{2}},
		{name: "disruption budget", change: func(f *Facts) { f.Around.Disruption = []string{"a", "b"} }, says: []string{"PodDisruptionBudget a, b matches it"}, human: true},
		{name: "autoscaler", change: func(f *Facts) { f.Around.Autoscalers = []string{"hpa"} },
			says: []string{"autoscaler hpa targets it", "owner can pause"}, human: true},
	}
}

func TestGate13Availability(t *testing.T) { prove(t, 13, "availability", rows13()) }

func prior(change func(*docket.Prior)) func(*Facts) {
	return func(f *Facts) { change(&f.Enforcement.Prior) }
}

func rows14() []row {
	noReplicas := []string{"replica count to restore is not on record"}
	noManifest := []string{"manifest to restore is not on record"}
	rows := []row{
		{name: "cooling off", change: func(f *Facts) { f.Docket.CoolOffUntil = f.Now.Add(time.Second) },
			says: []string{"cooling off after an undo until 2026-03-10 12:00:01 UTC"}},
		{name: "prior state missing", change: prior(func(p *docket.Prior) { p.ResourceVersion = "" }), says: []string{"prior state on record is not"}},
		{name: "prior state of an older version", ingress: true, change: prior(func(p *docket.Prior) { p.ResourceVersion = "4710" }), says: []string{"prior state on record is not"}},
		{name: "no replica count", change: prior(func(p *docket.Prior) { p.Replicas = nil }), says: noReplicas},
		{name: "nothing runs", change: prior(func(p *docket.Prior) { p.Replicas = ptr.To[int32](0) }), says: noReplicas},
		{name: "another replica count", change: func(f *Facts) { f.Live.Replicas = 5 }, says: noReplicas},
		{name: "no word on its suspension", change: func(f *Facts) {
			suspends("CronJob")(f)
			f.Enforcement.Prior.Suspended = nil
		}, says: []string{"whether it was is not on record"}},
		{name: "suspended before", change: func(f *Facts) {
			suspends("CronJob")(f)
			f.Enforcement.Prior.Suspended = ptr.To(true)
		}, says: []string{"suspended already"}},
		{name: "suspended now", change: func(f *Facts) {
			suspends("Job")(f)
			f.Live.Suspended = true
		}, says: []string{"suspended already"}},
		{name: "no manifest", ingress: true, change: prior(func(p *docket.Prior) { p.Manifest = nil }), says: noManifest},
		{name: "half a manifest", ingress: true, change: prior(func(p *docket.Prior) { p.Manifest = json.RawMessage(`{"kind":`) }), says: noManifest},
		{name: "finalizers", ingress: true, change: func(f *Facts) { f.Live.Finalizers = []string{"a/b", "c/d"} }, says: []string{"finalizers (a/b, c/d)", "undo cannot take back"}, human: true},
		{name: "owners", ingress: true, change: ownedBy("v1", "Service", nil), says: []string{"owner references"}, human: true},
		{name: "an address", ingress: true, change: func(f *Facts) { f.Live.LoadBalancer = true }, says: []string{"load balancer gave it an address"}, human: true},
		{name: "cool-off over", change: func(f *Facts) { f.Docket.CoolOffUntil = f.Now }},
		{name: "a deployment's finalizers", change: func(f *Facts) { f.Live.Finalizers = []string{"a/b"} }},
		{name: "a deployment's DNS", change: annotation("external-dns.alpha.kubernetes.io/hostname")},
		{name: "an ordinary annotation", ingress: true, change: annotation("nginx.ingress.kubernetes.io/rewrite-target")},
	}
	for _, key := range []string{"external-dns.alpha.kubernetes.io/hostname", "cert-manager.io/cluster-issuer", "certmanager.k8s.io/issuer",
		"kubernetes.io/tls-acme", "service.beta.kubernetes.io/aws-load-balancer-type", "alb.ingress.kubernetes.io/scheme",
		"appgw.ingress.kubernetes.io/ssl-redirect", "kubernetes.io/ingress.global-static-ip-name", "ingress.gcp.kubernetes.io/pre-shared-cert",
		"ingress.gce.kubernetes.io/x", "networking.gke.io/managed-certificates", "loadbalancer.openstack.org/keep-floatingip",
		"dns.gardener.cloud/dnsnames", "cert.gardener.cloud/purpose"} {
		rows = append(rows, row{name: key, ingress: true, change: annotation(key), says: []string{"annotation " + key, "cannot restore"}, human: true})
	}
	return rows
}

func TestGate14UndoPossible(t *testing.T) { prove(t, 14, "undo-possible", rows14()) }
