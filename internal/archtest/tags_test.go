package archtest

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// TestNoPluginsInTheBinary: a program that can open Go plugins keeps every exported method.
// The Makefile's build tags leave them out of kustomize.
func TestNoPluginsInTheBinary(t *testing.T) {
	makefile, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	tags := regexp.MustCompile(`(?m)^TAGS\s*=\s*(\S+)$`).FindSubmatch(makefile)
	if tags == nil {
		t.Fatal("the Makefile names no TAGS")
	}
	list := exec.CommandContext(t.Context(), "go", "list", "-deps", "-tags", string(tags[1]), "./cmd/k8guard")
	list.Dir = "../.."
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains("\n"+string(out), "\nplugin\n") {
		t.Errorf("with -tags %s, the package plugin is linked in", tags[1])
	}
}
