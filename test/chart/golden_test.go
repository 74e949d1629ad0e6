// Package chart holds the Helm chart to what K8Guard is: its rights, its own rules, and a
// cluster.
//
// Purpose: the chart is rendered once for each mode into deploy/testdata/chart (make
// chart-test), and what lies there is judged in every run of the tests, without helm.
//
// Concurrency: each test that wants a cluster has one of its own.
//
// Guarantees: with K8GUARD_HELM, the path of a helm, what lies there is what the chart renders.
//
// It will not: run containers: a pod is a process in a root folder of its own, as root only.
package chart

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes/scheme"
)

const (
	deployDir = "../../deploy"
	goldens   = deployDir + "/testdata/chart"
	chartDir  = deployDir + "/chart/k8guard"
)

// modes are the values files that the chart is rendered with, by name.
func modes(t *testing.T) (names []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(goldens, "*.values.yaml"))
	if err != nil || len(files) < 5 {
		t.Fatalf("%d modes, %v", len(files), err)
	}
	for _, f := range files {
		names = append(names, strings.TrimSuffix(filepath.Base(f), ".values.yaml"))
	}
	return names
}

func valuesFile(mode string) string { return filepath.Join(goldens, mode+".values.yaml") }
func goldenFile(mode string) string { return filepath.Join(goldens, mode+".golden.yaml") }

func read(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// objects decodes every document strictly, but for the Prometheus operator's.
func objects(t *testing.T, text []byte) (all []runtime.Object) {
	t.Helper()
	decoder := serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer()
	docs := yaml.NewYAMLReader(bufferOf(text))
	for {
		doc, err := docs.Read()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		if empty(doc) || bytes.Contains(doc, []byte("apiVersion: monitoring.coreos.com/")) {
			continue
		}
		o, _, err := decoder.Decode(doc, nil, nil)
		if err != nil {
			t.Fatalf("%v\n%s", err, doc)
		}
		all = append(all, o)
	}
}

func empty(doc []byte) bool {
	for line := range bytes.Lines(doc) {
		if text := bytes.TrimSpace(line); len(text) > 0 && text[0] != '#' && string(text) != "---" {
			return false
		}
	}
	return true
}

func of[T runtime.Object](all []runtime.Object) (found []T) {
	for _, o := range all {
		if one, ok := o.(T); ok {
			found = append(found, one)
		}
	}
	return found
}

// Each pod is one that the restricted level admits, that writes to its mounts only, and that
// holds a token only where it asks the API server.
func TestPods(t *testing.T) {
	asks := map[string][]string{"run": {"run"}, "run-enforce": {"run"}, "run-exposed": {"run"}, "services": {"discover"}, "services-enforce": {"discover", "action", "report"}}
	for _, mode := range modes(t) {
		var with []string
		for _, d := range of[*appsv1.Deployment](objects(t, read(t, goldenFile(mode)))) {
			spec := d.Spec.Template.Spec
			restricted(t, mode+" "+d.Name, spec)
			if spec.EnableServiceLinks == nil || *spec.EnableServiceLinks {
				t.Errorf("%s %s: a Service called k8guard would become K8GUARD_… in the environment", mode, d.Name)
			}
			if *spec.AutomountServiceAccountToken {
				with = append(with, d.Spec.Template.Labels["app.kubernetes.io/component"])
			}
		}
		if want := asks[mode]; !slices.Equal(slices.Sorted(slices.Values(with)), slices.Sorted(slices.Values(want))) {
			t.Errorf("%s: tokens are mounted into %v, want %v", mode, with, want)
		}
	}
}

func restricted(t *testing.T, name string, spec corev1.PodSpec) {
	t.Helper()
	s := spec.SecurityContext
	if !*s.RunAsNonRoot || *s.RunAsUser == 0 || s.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault || spec.HostNetwork || spec.HostPID || spec.HostIPC {
		t.Errorf("%s: pod: %+v", name, s)
	}
	for _, c := range spec.Containers {
		s := c.SecurityContext
		if *s.AllowPrivilegeEscalation || !*s.ReadOnlyRootFilesystem || !slices.Equal(s.Capabilities.Drop, []corev1.Capability{"ALL"}) || len(s.Capabilities.Add) > 0 {
			t.Errorf("%s: %+v", name, s)
		}
		if c.Resources.Limits.Memory().IsZero() || c.Resources.Requests.Cpu().IsZero() || c.ReadinessProbe == nil {
			t.Errorf("%s: no limits, or no probe", name)
		}
	}
	for _, v := range spec.Volumes {
		if v.HostPath != nil {
			t.Errorf("%s: mounts %s of the node", name, v.HostPath.Path)
		}
	}
}
