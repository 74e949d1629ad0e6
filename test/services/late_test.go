package services

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/crash"
	"github.com/k8guard/k8guard/tools/services"
	"github.com/k8guard/k8guard/tools/services/servicestest"
	"github.com/k8guard/k8guard/tools/stage"
)

// A replica is stopped between what it has decided and what it does, until another has its
// buckets and has gone on: between the gate and the write to the cluster, and between the
// intent to tell and the mail. When it wakes, it changes nothing any more.
func TestAReplicaThatWakesLate(t *testing.T) {
	points := []string{crash.BeforeAct, crash.BeforeSend}
	h := newHouse(t, servicestest.Start(t, services.Kafka), servicestest.Start(t, services.Cassandra), func(c *config.Config) { quick(c, 1) })
	if _, err := h.BuildProduct(t.Context(), "faults"); err != nil {
		t.Fatal(err)
	}
	rest := []*stage.Process{h.start("discover"), h.start("report")}
	h.until("the report serves", time.Minute, h.serves)
	v := newViolations(h)
	for _, point := range points {
		late, err := h.Target("action", "K8GUARD__REPORT__LISTEN=127.0.0.1:0", "K8GUARD_PAUSE_AT="+point)
		if err != nil {
			t.Fatal(err)
		}
		v.wave()
		h.until(point+" is reached", 2*time.Minute, func() bool { return stopped(t, late.Pid()) })
		other := h.start("action")
		v.settle(2 * time.Minute)
		if err := syscall.Kill(late.Pid(), syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second) // time to do what it was about to do
		for _, p := range []*stage.Process{late, other} {
			if err := p.Terminate(time.Minute); err != nil {
				t.Error(fmt.Errorf("after %s: %w", point, err))
			}
		}
	}
	for _, p := range rest {
		if err := p.Terminate(time.Minute); err != nil {
			t.Error(err)
		}
	}
	tally := v.judge()
	// The one that woke after the gate did try to write.
	if len(tally.Refused) == 0 || tally.Fences == 0 {
		t.Errorf("%d writes were refused and %d fences set: the late one tried nothing, so nothing is proven", len(tally.Refused), tally.Fences)
	}
}

// stopped reports whether a process is stopped, by the state that the kernel tells.
func stopped(t *testing.T, pid int) bool {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	return strings.HasPrefix(rest, "T")
}
