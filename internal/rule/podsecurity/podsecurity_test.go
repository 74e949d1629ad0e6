package podsecurity

import (
	"path"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/entity"
	"github.com/k8guard/k8guard/internal/rule"
	"github.com/k8guard/k8guard/internal/rule/ruletest"
)

func must(r rule.Rule, err error) rule.Rule {
	if err != nil {
		panic(err)
	}
	return r
}

func TestManifests(t *testing.T) {
	ruletest.Run(t, []rule.Rule{
		must(Privileged(PrivilegedParams{})),
		must(Capabilities(CapabilitiesParams{Allowed: []string{"cap_net_bind_service"}})),
		must(HostVolumes(HostVolumesParams{Allowed: []string{"/data/"}, AllowedReadOnly: []string{"/var/log"}})),
	}, "testdata")
}

func TestAParameterThatMakesNoSenseIsNamed(t *testing.T) {
	for text, err := range map[string]error{
		`"ALL" is not one capability`:   second(Capabilities(CapabilitiesParams{Allowed: []string{"ALL"}})),
		`"NET ADMIN" is not one`:        second(Capabilities(CapabilitiesParams{Allowed: []string{"NET ADMIN"}})),
		`"" is not one capability`:      second(Capabilities(CapabilitiesParams{Allowed: []string{""}})),
		`"var/log" is not absolute`:     second(HostVolumes(HostVolumesParams{AllowedReadOnly: []string{"var/log"}})),
		`"yes"; write off, explicit or`: second(Privileged(PrivilegedParams{Root: "yes"})),
	} {
		if err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("want %s, got %v", text, err)
		}
	}
}

func second(_ rule.Rule, err error) error { return err }

// The user in force is the container's own word, else the pod's.
func TestRoot(t *testing.T) {
	user := func(n int64) *corev1.SecurityContext { return &corev1.SecurityContext{RunAsUser: &n} }
	nonRoot := &corev1.SecurityContext{RunAsNonRoot: ptr.To(true)}
	pod := func(c *corev1.PodSecurityContext) *corev1.PodSpec { return &corev1.PodSpec{SecurityContext: c} }
	for name, row := range map[string]struct {
		pod                 *corev1.PodSpec
		own                 *corev1.SecurityContext
		explicit, mustProve v1.VerdictState
	}{
		"unset":             {pod(nil), nil, v1.Unknown, v1.Violated},
		"own 0":             {pod(nil), user(0), v1.Violated, v1.Violated},
		"own 7":             {pod(nil), user(7), v1.Pass, v1.Pass},
		"own nonroot":       {pod(nil), nonRoot, v1.Pass, v1.Pass},
		"pod 0":             {pod(&corev1.PodSecurityContext{RunAsUser: ptr.To[int64](0)}), nil, v1.Violated, v1.Violated},
		"own 7 over pod 0":  {pod(&corev1.PodSecurityContext{RunAsUser: ptr.To[int64](0)}), user(7), v1.Pass, v1.Pass},
		"own 0 over pod 7":  {pod(&corev1.PodSecurityContext{RunAsUser: ptr.To[int64](7)}), user(0), v1.Violated, v1.Violated},
		"own false over it": {pod(&corev1.PodSecurityContext{RunAsNonRoot: ptr.To(true)}), &corev1.SecurityContext{RunAsNonRoot: ptr.To(false)}, v1.Unknown, v1.Violated},
		"windows":           {&corev1.PodSpec{OS: &corev1.PodOS{Name: corev1.Windows}}, nil, v1.Pass, v1.Pass},
	} {
		row.pod.Containers = []corev1.Container{{Name: "app", SecurityContext: row.own}}
		for mode, want := range map[string]v1.VerdictState{RootOff: v1.Pass, RootExplicit: row.explicit, RootMustProve: row.mustProve} {
			engine, err := rule.NewEngine(must(Privileged(PrivilegedParams{Root: mode})))
			if err != nil {
				t.Fatal(err)
			}
			got := engine.Judge(entity.Entity{Kind: entity.Pod, Pod: row.pod, PodPath: "spec"}, nil, v1.FromTemplate)[0]
			if got.State != want {
				t.Errorf("%s, %s: %s, want %s (%+v)", name, mode, got.State, want, got)
			}
		}
	}
}

func FuzzPaths(f *testing.F) {
	f.Add("/var/log/../../etc", "/var/log")
	f.Add("//data", "/data")
	f.Fuzz(func(t *testing.T, written, folder string) {
		folders, err := cleanPaths("allowed", []string{folder})
		if err != nil {
			return
		}
		at := path.Clean("/" + written)
		if rel, err := filepath.Rel(folders[0], at); inside(at, folders) != (err == nil && rel != ".." && !strings.HasPrefix(rel, "../")) {
			t.Fatalf("%q in %q: %v, but it is %q from there", at, folders[0], inside(at, folders), rel)
		}
	})
}
