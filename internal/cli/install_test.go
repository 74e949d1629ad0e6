package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/kubernetes/scheme"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/scan"
)

// decoded reads every document of a shipped manifest strictly.
func decoded(t *testing.T, name string) (all []runtime.Object) {
	t.Helper()
	text, err := os.ReadFile("../../deploy/" + name)
	if err != nil {
		t.Fatal(err)
	}
	decoder := serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer()
	for _, doc := range bytes.Split(text, []byte("\n---\n")) {
		o, _, err := decoder.Decode(doc, nil, nil)
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, doc)
		}
		all = append(all, o)
	}
	return all
}

func only[T runtime.Object](t *testing.T, all []runtime.Object) T {
	t.Helper()
	for _, o := range all {
		if one, ok := o.(T); ok {
			return one
		}
	}
	var none T
	t.Fatalf("there is no %T", none)
	return none
}

// The rights in install.yaml are those of rbac-discover.yaml, and write nothing but the Lease.
func TestInstallMayNotAct(t *testing.T) {
	install := decoded(t, "install.yaml")
	for _, o := range decoded(t, "rbac-discover.yaml") {
		if _, ok := o.(*corev1.Namespace); ok {
			continue
		}
		if !slices.ContainsFunc(install, func(i runtime.Object) bool { return reflect.DeepEqual(i, o) }) {
			t.Errorf("install.yaml lacks, or changes, %+v", o)
		}
	}
	check := func(rules []rbacv1.PolicyRule) {
		for _, r := range rules {
			if slices.Equal(r.Resources, []string{"leases"}) && len(r.ResourceNames) == 1 || slices.Equal(r.Resources, []string{"events"}) {
				continue
			}
			for _, verb := range r.Verbs {
				if !slices.Contains([]string{"get", "list", "watch"}, verb) {
					t.Errorf("install.yaml grants %s on %v", verb, r.Resources)
				}
			}
		}
	}
	for _, o := range install {
		switch o := o.(type) {
		case *rbacv1.ClusterRole:
			check(o.Rules)
		case *rbacv1.Role:
			check(o.Rules)
		}
	}
}

// The configuration in install.yaml is usable, and K8Guard's own rules find nothing in the
// manifest but what the configuration exempts.
func TestInstallPassesItsOwnRules(t *testing.T) {
	install := decoded(t, "install.yaml")
	file := filepath.Join(t.TempDir(), "k8guard.yaml")
	if err := os.WriteFile(file, []byte(only[*corev1.ConfigMap](t, install).Data["k8guard.yaml"]), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, errs, err := with(t, nil, "config", "check", "--config", file); err != nil {
		t.Errorf("config check: %v %s%s", err, out, errs)
	}
	out, _, err := with(t, nil, "scan", "../../deploy/install.yaml", "--config", file, "--set", "rules.PRIVILEGED.root=must-prove", "-o", "json")
	var report scan.Report
	if json.Unmarshal([]byte(out), &report) != nil || len(report.Errors)+len(report.Warnings) > 0 {
		t.Fatalf("%v %s", err, out)
	}
	for _, f := range report.Findings {
		if f.Verdict.Rule != "SINGLE_REPLICA" { // exempt: see the ConfigMap
			t.Errorf("%+v", f)
		}
	}
}

// K8Guard's own namespace has an owner, whichever of the files made it.
func TestItsOwnNamespaceHasAnOwner(t *testing.T) {
	for _, file := range []string{"install.yaml", "rbac-discover.yaml"} {
		if only[*corev1.Namespace](t, decoded(t, file)).Annotations[config.Default().Owners.EmailAnnotation] == "" {
			t.Errorf("%s: nobody owns the namespace", file)
		}
	}
}

// The pod is one that the restricted level of Pod Security admits.
func TestInstallIsRestricted(t *testing.T) {
	install := decoded(t, "install.yaml")
	if only[*corev1.Namespace](t, install).Labels["pod-security.kubernetes.io/enforce"] != "restricted" {
		t.Error("the namespace does not enforce the restricted level")
	}
	pod := only[*appsv1.Deployment](t, install).Spec.Template.Spec
	s := pod.SecurityContext
	if s.RunAsNonRoot == nil || !*s.RunAsNonRoot || s.SeccompProfile == nil || s.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault {
		t.Errorf("pod: %+v", s)
	}
	for _, c := range pod.Containers {
		s := c.SecurityContext
		if s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation || len(s.Capabilities.Drop) != 1 || s.Capabilities.Drop[0] != "ALL" || len(s.Capabilities.Add) > 0 {
			t.Errorf("%s: %+v", c.Name, s)
		}
	}
}
