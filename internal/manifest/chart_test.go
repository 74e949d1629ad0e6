package manifest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// helm puts a program of that name on the PATH, alone but for the shell it needs.
func helm(t *testing.T, script string) {
	t.Helper()
	dir := t.TempDir()
	if script != "" {
		if err := os.WriteFile(filepath.Join(dir, "helm"), []byte("#!/bin/sh\n"+script), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir)
}

func TestHelmRenders(t *testing.T) {
	helm(t, "echo \"$@\" >&2\necho '"+strings.ReplaceAll(pod, "\n", "'\necho '")+"'\n")
	var said strings.Builder
	set, err := Helm(t.Context(), Chart{Path: "-chart", Values: []string{"v.yaml"}, Set: []string{"a=b"}, Namespace: "shop", Limit: time.Minute}, &said)
	if err != nil || len(set.Items) != 1 || set.Items[0].File != "(helm template -chart)" {
		t.Fatalf("%+v, %v", set, err)
	}
	if got := strings.TrimSpace(said.String()); got != "template --include-crds --namespace=shop --values=v.yaml --set=a=b -- k8guard-scan -chart" {
		t.Errorf("helm was called with %q", got)
	}
}

func TestHelmFailures(t *testing.T) {
	for want, script := range map[string]string{
		"install helm, or pipe what it makes":       "",
		"exit status 3; what it says is above":      "echo broken chart >&2\nexit 3\n",
		"it took longer than 200ms":                 "while :; do :; done\n",
		"it printed more than 64 MB":                "while :; do echo 0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789; done\n",
		"(helm template chart):1: this is no valid": "echo '{'\n",
	} {
		limit := time.Minute
		if strings.Contains(want, "200ms") {
			limit = 200 * time.Millisecond
		}
		helm(t, script)
		var said strings.Builder
		if _, err := Helm(t.Context(), Chart{Path: "chart", Limit: limit}, &said); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q: %v", want, err)
		}
		if strings.Contains(script, ">&2") && said.String() != "broken chart\n" {
			t.Errorf("helm said %q", said.String())
		}
	}
}
