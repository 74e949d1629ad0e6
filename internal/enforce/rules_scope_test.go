package enforce

import (
	"errors"
	"testing"

	"k8s.io/utils/ptr"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/rule"
)

func errTest() error { return errors.New("connection refused") }

// category declares another category for the rule that found the case.
func category(c rule.Category) func(*Facts) {
	return func(f *Facts) {
		m := f.Metas["IMAGE_REPO"]
		m.Category = c
		f.Metas["IMAGE_REPO"] = m
	}
}

// root moves the object to another namespace or name.
func root(namespace, name string) func(*Facts) {
	return func(f *Facts) {
		f.Docket.Root.Namespace, f.Docket.Root.Name = namespace, name
		f.Policy.Match.Namespaces = nil
	}
}

func rows01() []row {
	return []row{
		{name: "shipped default", change: func(f *Facts) { f.Config.Mode = config.Default().Enforce.Mode },
			says: []string{`"safe"`, "write enforce.mode: enforce"}},
		{name: "dry run", change: func(f *Facts) { f.Config.Mode = config.ModeDryRun }, says: []string{`"dry-run"`}},
		{name: "no mode", change: func(f *Facts) { f.Config.Mode = "" }, says: []string{`enforce.mode is ""`}},
		{name: "policy warns", change: func(f *Facts) { f.Policy.Enforce = false }, says: []string{`"shops" warns only`, "enforce: true"}},
		{name: "policy of another namespace", change: func(f *Facts) { f.Policy.Match.Namespaces = []string{"bank"} },
			says: []string{`"shops" does not select case c-1`}},
		{name: "policy of another rule", change: func(f *Facts) { f.Policy.Match.Rules = []string{"PRIVILEGED"} },
			says: []string{"does not select", "IMAGE_REPO"}},
		{name: "policy of other kinds", ingress: true, change: func(f *Facts) { f.Policy.Match.Kinds = []string{"Deployment"} },
			says: []string{"does not select"}},
		{name: "availability", change: category(rule.Availability), says: []string{`about "availability"`, "name the rule in match.rules"}},
		{name: "efficiency", change: category(rule.Efficiency), says: []string{`about "efficiency"`}},
		{name: "category that nobody declared", change: category(""), says: []string{`about ""`}},
		{name: "ownership", change: category(rule.Ownership)},
		{name: "availability by name", change: func(f *Facts) {
			category(rule.Availability)(f)
			f.Policy.Match.Rules = []string{"IMAGE_REPO"}
		}},
	}
}

func TestGate01ObserveByDefault(t *testing.T) { prove(t, 1, "observe-by-default", rows01()) }

func rows02() []row {
	rows := []row{
		{name: "own namespace", change: root("k8guard", "action"), says: []string{"namespace k8guard is protected"}, human: true},
		{name: "own namespace unknown", change: func(f *Facts) { f.Cluster.Namespace = "" },
			says: []string{"own namespace is not known", "write cluster.namespace"}},
		{name: "added namespace", change: func(f *Facts) { f.Config.Protect.Namespaces = []string{"bank", "shop"} },
			says: []string{"shop is protected by enforce.protect.namespaces"}, human: true},
		{name: "added workload", change: func(f *Facts) { f.Config.Protect.Workloads = []string{"shop/checkout"} },
			says: []string{"shop/checkout is protected by enforce.protect.workloads"}, human: true},
		{name: "an ingress in a protected namespace", ingress: true, change: root("kube-system", "web"),
			says: []string{"kube-system is protected"}, human: true},
		{name: "behind a webhook", change: func(f *Facts) { f.Around.Serves = []string{"validating webhook a", "APIService b"} },
			says: []string{"it answers validating webhook a, APIService b", "writes to the cluster fail"}, human: true},
		{name: "registrations unread", change: func(f *Facts) { f.Around.Err = errTest() },
			says: []string{"cannot be read", "connection refused"}, also: []int{13}},
		{name: "a tenant's kube-foo", change: root("kube-foo", "checkout")},
		{name: "a name that only begins alike", change: root("kube-system-2", "coredns")},
		{name: "a tenant's label", change: func(f *Facts) { f.Live.Labels["app.kubernetes.io/name"] = "coredns" }},
		{name: "the workload's name elsewhere", change: func(f *Facts) { f.Config.Protect.Workloads = []string{"bank/checkout", "shop/check"} }},
	}
	for _, ns := range builtInNamespaces() {
		rows = append(rows, row{name: ns, change: root(ns, "checkout"), says: []string{"namespace " + ns + " is protected"}, human: true})
	}
	return rows
}

func TestGate02Protected(t *testing.T) {
	prove(t, 2, "protected", rows02())
	for _, must := range []string{"kube-system", "kube-public", "kube-node-lease"} {
		f := validDeployment()
		root(must, "checkout")(&f)
		if no := protected(f); !no.Human {
			t.Errorf("%s is not protected", must)
		}
	}
}

// kind makes the root, and the record's target, another kind.
func kind(kind, action string) func(*Facts) {
	return func(f *Facts) {
		f.Docket.Root.Kind, f.Enforcement.Target.Kind = kind, kind
		f.Action, f.Enforcement.Action = action, action
	}
}

// suspends makes a valid suspension of it.
func suspends(of string) func(*Facts) {
	return func(f *Facts) {
		kind(of, docket.Suspend)(f)
		f.Enforcement.Prior.Replicas, f.Enforcement.Prior.Suspended, f.Live.Replicas = nil, ptr.To(false), 0
	}
}

func rows03() []row {
	rows := []row{
		{name: "deleting a deployment", change: kind("Deployment", docket.DeleteIngress), says: []string{"a Deployment", docket.DeleteIngress},
			human: true, also: []int{14}},
		{name: "scaling an ingress", ingress: true, change: kind("Ingress", docket.ScaleToZero), says: []string{"a Ingress", docket.ScaleToZero},
			human: true, also: []int{14}},
		{name: "deleting", change: kind("Deployment", "delete"), says: []string{`asked for "delete"`}, human: true},
		{name: "a stateful set that loses its volumes", change: func(f *Facts) {
			kind("StatefulSet", docket.ScaleToZero)(f)
			f.Live.LosesClaims = true
		}, says: []string{"volumes are deleted when it is scaled"}, human: true},
		{name: "a job whose pods run", change: func(f *Facts) {
			suspends("Job")(f)
			f.Live.Active = 2
		}, says: []string{"2 of its pods run", "kills them"}, human: true},
		{name: "a job of a queue", change: func(f *Facts) {
			suspends("Job")(f)
			f.Live.QueuedBy = "queue team"
		}, says: []string{"belongs to queue team"}, human: true},
		{name: "a cron job whose jobs are queued", change: func(f *Facts) {
			suspends("CronJob")(f)
			f.Live.QueuedBy = "managedBy x"
		}, says: []string{"belongs to managedBy x"}, human: true},
		{name: "suspending a deployment", change: kind("Deployment", docket.Suspend), says: []string{"a Deployment is notify-only"}, human: true, also: []int{14}},
		{name: "no action", change: kind("Deployment", ""), says: []string{`asked for ""`}, human: true},
	}
	for _, k := range []string{"Namespace", "Pod", "DaemonSet", "Job", "CronJob", "Secret",
		"PersistentVolumeClaim", "CustomResourceDefinition", ""} {
		rows = append(rows, row{name: "scaling a " + k, change: kind(k, docket.ScaleToZero), says: []string{"a " + k + " is notify-only"}, human: true})
	}
	for _, k := range []string{"Job", "CronJob"} {
		rows = append(rows, row{name: "suspending a " + k, change: suspends(k)})
	}
	for _, k := range []string{"StatefulSet", "ReplicaSet"} {
		rows = append(rows, row{name: "a " + k, change: kind(k, docket.ScaleToZero)})
	}
	return rows
}

func TestGate03ReversibleOnly(t *testing.T) { prove(t, 3, "reversible-only", rows03()) }

func rows17() []row {
	return []row{
		{name: "deployment", change: func(f *Facts) { f.Exempt = "migration until May" },
			says: []string{"exempt: migration until May", "platform team"}},
		{name: "ingress", ingress: true, change: func(f *Facts) { f.Exempt = "migration until May" }, says: []string{"exempt"}},
		{name: "a tenant's annotation relaxes nothing", change: func(f *Facts) {
			f.Live.Annotations["k8guard.io/exempt"] = "true"
		}},
	}
}

func TestGate17Exemptions(t *testing.T) { prove(t, 17, "exemptions", rows17()) }
