package faults

import (
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// reload: the configuration is broken while K8Guard runs. The last good one stays: what it
// says to do is done. Mended, the new one is taken over.
func reload(t *testing.T, p plane) {
	h := newHouse(t, p, "reload", nil)
	h.start()
	good, err := os.ReadFile(h.ConfigFile())
	if err != nil {
		t.Fatal(err)
	}
	h.write(strings.Replace(string(good), "mode: enforce", "mode: [enforce", 1))
	syntax := h.log(10*time.Second, "the last good one stays in force")
	h.write(strings.Replace(string(good), "mode: enforce", "mode: enforced", 1))
	value := h.log(10*time.Second, "enforce.mode")
	h.golden("reload", "log: "+syntax, "log: "+value)
	h.apply(privileged(h.ns, "web"))
	h.acted(30*time.Second, acted)
	h.write(strings.Replace(string(good), "mode: enforce", "mode: safe", 1))
	h.log(20*time.Second, `the new configuration is in force" mode=safe`)
	h.apply(privileged(h.ns, "late"))
	h.planned(20*time.Second, "late", "safe mode")
	h.wantActs(acted)
}

func (h *house) write(text string) {
	h.t.Helper()
	if err := os.WriteFile(h.ConfigFile(), []byte(text), 0o600); err != nil {
		h.t.Fatal(err)
	}
	h.signal(syscall.SIGHUP)
}
