package services

import (
	"fmt"
	"os"
	"slices"
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
	h.until("the report serves", 2*time.Minute, h.serves)
	v := newViolations(h)
	for _, point := range points {
		late, err := h.Target("action", "K8GUARD__REPORT__LISTEN=127.0.0.1:0", "K8GUARD_PAUSE_AT="+point)
		if err != nil {
			t.Fatal(err)
		}
		v.wave()
		h.until(point+" is reached", 2*time.Minute, func() bool { return stopped(t, late.Pid()) })
		paused, held := time.Now(), v.sending()
		other := h.start("action")
		if point == crash.BeforeAct {
			// It may try for half a minute after its pause began: it wakes as soon as its act is settled.
			h.until("another has settled the act", 2*time.Minute, func() bool { return v.tells("fenced") })
		} else {
			if len(held) == 0 {
				t.Error("it was paused with no notice in its hands: nothing is proven")
			}
			h.until("another has settled the notice", 3*time.Minute, func() bool {
				return !slices.ContainsFunc(v.sending(), func(key string) bool { return slices.Contains(held, key) })
			})
			v.settle(2 * time.Minute)
		}
		woke, mails := time.Now(), len(h.Mail.Messages())
		if err := syscall.Kill(late.Pid(), syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second) // time to do what it was about to do
		for _, m := range h.Mail.Messages()[mails:] {
			if key := m.Get("X-K8Guard-Notice"); point == crash.BeforeSend && slices.Contains(held, key) {
				t.Errorf("%s came after it woke, and another had settled it", key)
			}
		}
		v.settle(2 * time.Minute)
		for _, p := range []*stage.Process{late, other} {
			if err := p.Terminate(time.Minute); err != nil {
				t.Error(fmt.Errorf("after %s: %w", point, err))
			}
		}
		if point == crash.BeforeAct && woke.Sub(paused) < 25*time.Second && !v.refused(woke) {
			t.Errorf("it was paused for %s, and tried nothing when it woke: nothing is proven", woke.Sub(paused))
		}
	}
	for _, p := range rest {
		if err := p.Terminate(time.Minute); err != nil {
			t.Error(err)
		}
	}
	v.judge()
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
