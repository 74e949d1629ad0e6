package chart

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestInstall installs every mode, and takes it away again.
func TestInstall(t *testing.T) {
	g := newGround(t)
	before := g.everything()
	for _, mode := range modes(t) {
		g.run("install", "k8guard", chartDir, "--namespace", "k8guard", "--values", valuesFile(mode))
		g.running()
		g.run("uninstall", "k8guard", "--namespace", "k8guard")
		var want []string
		if mode == "run" || mode == "run-enforce" {
			want = append(want, "PersistentVolumeClaim k8guard/k8guard")
		}
		if strings.HasSuffix(mode, "-enforce") {
			want = append(want, "Lease k8guard/k8guard-action")
		}
		want = append(want, "Lease k8guard/k8guard-discover")
		g.leaves(before, want)
		// What was left is taken over by the next release of this name.
		g.run("install", "k8guard", chartDir, "--namespace", "k8guard", "--values", valuesFile(mode))
		g.run("uninstall", "k8guard", "--namespace", "k8guard")
		g.leaves(before, want)
		for _, left := range want {
			kind, name, _ := strings.Cut(left, " k8guard/")
			g.kubectl("-n", "k8guard", "delete", kind, name, "--wait=false")
			g.kubectl("-n", "k8guard", "wait", "--for=delete", kind+"/"+name, "--timeout=60s")
		}
		t.Logf("%s: installed, its pods admitted, uninstalled; left: %v", mode, want)
	}
}

// TestUpgrade goes from an older chart to this one, from safe mode to an account that acts. What
// people and K8Guard wrote meanwhile stays. There was no release before this one: the older chart
// is this one with an older version and other values.
func TestUpgrade(t *testing.T) {
	g := newGround(t)
	older := filepath.Join(t.TempDir(), "k8guard")
	if err := os.CopyFS(older, os.DirFS(chartDir)); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(older, "Chart.yaml")
	text := strings.NewReplacer("version: 0.1.0", "version: 0.0.9", `appVersion: "0.1.0"`, `appVersion: "0.0.9"`).Replace(string(read(t, file)))
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	g.run("install", "k8guard", older, "--namespace", "k8guard", "--values", valuesFile("run"))
	g.running()
	g.kubectl("-n", "k8guard", "create", "configmap", "k8guard-permit", "--from-literal=enforcement=enabled")
	g.kubectl("-n", "k8guard", "patch", "lease", "k8guard-discover", "--type=merge", "-p", `{"spec":{"holderIdentity":"a-pod"},"metadata":{"annotations":{"k8guard.io/epoch":"7"}}}`)
	volume := g.kubectl("-n", "k8guard", "get", "pvc", "k8guard", "-o", "jsonpath={.metadata.uid}")

	g.run("upgrade", "k8guard", chartDir, "--namespace", "k8guard", "--values", valuesFile("run-enforce"))
	g.running()
	for what, want := range map[string]string{
		"configmap/k8guard-permit {.data.enforcement}":                           "enabled",
		"lease/k8guard-discover {.spec.holderIdentity}":                          "a-pod",
		`lease/k8guard-discover {.metadata.annotations.k8guard\.io/epoch}`:       "7",
		"pvc/k8guard {.metadata.uid}":                                            volume,
		"deployment/k8guard {.spec.strategy.type}":                               "Recreate",
		"serviceaccount/k8guard-action {.metadata.name}":                         "k8guard-action",
		`deployment/k8guard {.metadata.labels.app\.kubernetes\.io/version}`:      "0.1.0",
		"validatingadmissionpolicy/k8guard-action-objects {.spec.failurePolicy}": "Fail",
	} {
		object, path, _ := strings.Cut(what, " ")
		if got := g.kubectl("-n", "k8guard", "get", object, "-o", "jsonpath="+path); got != want {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	if out := g.run("history", "k8guard", "--namespace", "k8guard"); !strings.Contains(out, "k8guard-0.0.9") || !strings.Contains(out, "k8guard-0.1.0") {
		t.Errorf("history:\n%s", out)
	}
	g.run("rollback", "k8guard", "1", "--namespace", "k8guard")
	if out, err := g.cluster.Kubectl(t.Context(), "get", "clusterrole", "k8guard-action"); err == nil {
		t.Errorf("back in safe mode, action's rights are still there: %s", out)
	}
}
