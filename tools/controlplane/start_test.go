package controlplane_test

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/k8guard/k8guard/tools/controlplane"
)

// standIns are programs that do as told, so that a failing start can be tested at once.
func standIns(t *testing.T, apiServer string) {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl", "kwok"} {
		script := "#!/bin/sh\nexec sleep 600\n"
		if name == "kube-apiserver" {
			script = "#!/bin/sh\n" + apiServer + "\n"
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("KUBEBUILDER_ASSETS", dir)
}

func TestStartSaysWhatADeadProgramSaidLast(t *testing.T) {
	standIns(t, `for i in $(seq 40); do echo line $i; done; exit 1`)
	_, err := controlplane.Start(t.Context(), controlplane.Options{Dir: t.TempDir()})
	if err == nil {
		t.Fatal("started")
	}
	for _, want := range []string{"kube-apiserver died", "kube-apiserver.log", "line 26\n", "line 40"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in: %v", want, err)
		}
	}
	if strings.Contains(err.Error(), "line 25\n") {
		t.Errorf("more than the end of the log: %v", err)
	}
}

func TestStartThatFailsLeavesNoProcess(t *testing.T) {
	standIns(t, "exit 1")
	dir := t.TempDir()
	if _, err := controlplane.Start(t.Context(), controlplane.Options{Dir: dir, Detached: true}); err == nil {
		t.Fatal("started")
	}
	c, err := controlplane.Attach(dir)
	if !errors.Is(err, controlplane.ErrNotRunning) || c == nil {
		t.Fatalf("got %v, %v", c, err)
	}
	if len(c.Pids()) != 2 {
		t.Errorf("pids: %v", c.Pids())
	}
	for name, pid := range c.Pids() {
		if syscall.Kill(pid, 0) == nil {
			t.Errorf("%s still runs as %d", name, pid)
		}
	}
	if err := c.Remove(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder is still there: %v", err)
	}
}

func TestStartRefusesAFolderThatHoldsSomething(t *testing.T) {
	standIns(t, "exit 1")
	dir := t.TempDir()
	file := filepath.Join(dir, "mine")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := controlplane.Start(t.Context(), controlplane.Options{Dir: dir})
	if err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("got %v", err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("the folder holds %v", entries)
	}
}

func TestAttachOfAPidThatIsAnothersSparesIt(t *testing.T) {
	dir := t.TempDir()
	text := `{"pids":{"kube-apiserver":` + strconv.Itoa(os.Getpid()) + `}}`
	if err := os.WriteFile(filepath.Join(dir, "cluster.json"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := controlplane.Attach(dir)
	if !errors.Is(err, controlplane.ErrNotRunning) {
		t.Fatalf("got %v", err)
	}
	if err := c.Stop(); err != nil { // would kill this test
		t.Error(err)
	}
}
