//go:build faults

package crash_test

import (
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/k8guard/k8guard/internal/crash"
)

func TestAtKills(t *testing.T) {
	if os.Getenv("CRASH_TEST_CHILD") != "" {
		for range 2 {
			crash.At(crash.AfterAct)
		}
		return
	}
	for at, killed := range map[string]bool{"after-act": true, "after-act:2": true, "after-act:3": false, "before-act": false, "": false} {
		child := exec.Command(os.Args[0], "-test.run=^TestAtKills$")
		child.Env = append(os.Environ(), "CRASH_TEST_CHILD=1", "K8GUARD_CRASH_AT="+at)
		_ = child.Run()
		status, _ := child.ProcessState.Sys().(syscall.WaitStatus)
		if got := status.Signaled() && status.Signal() == syscall.SIGKILL; got != killed {
			t.Errorf("K8GUARD_CRASH_AT=%q: killed %v, want %v", at, got, killed)
		}
	}
}
