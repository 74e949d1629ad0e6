package faults

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/config"
)

// diskFull: the file system of the ledger is full between the last warning and the act. What
// cannot be written down is not done and not told; with room again, K8Guard goes on.
func diskFull(t *testing.T, p plane) {
	if os.Geteuid() != 0 {
		t.Skip("mounts a small file system: needs root")
	}
	h := newHouse(t, p, "disk-full", func(c *config.Config) { c.Policies[0].Ladder.LastWait = 5 * time.Second })
	h.mount()
	h.start()
	h.apply(privileged(h.ns, "web"))
	h.until(30*time.Second, "two warnings are confirmed", func() bool { return h.confirmed() == warnings })
	h.apply(privileged(h.ns, "late"))
	filler := h.fill()
	said := h.log(20*time.Second, "disk is full")
	mails := h.mails()
	time.Sleep(7 * time.Second) // past the time of the act
	h.wantActs()
	if n := h.mails(); n > mails {
		t.Errorf("%d mails went out that were not on record first", n-mails)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	h.until(60*time.Second, "both are acted on", func() bool { return len(h.acts()) == 2 })
	_, err, _ := strings.Cut(said, "database")
	h.golden("disk-full", "log: database"+err)
	if n := h.mails(); n > 2*tries {
		t.Errorf("%d mails", n)
	}
}

// mount puts the ledger's folder onto sixteen megabytes of their own.
func (h *house) mount() {
	h.t.Helper()
	dir := h.Config.Data.Dir
	if err := os.MkdirAll(dir, 0o700); err != nil {
		h.t.Fatal(err)
	}
	if err := syscall.Mount("none", dir, "tmpfs", 0, "size=16m"); err != nil {
		if errors.Is(err, syscall.EPERM) {
			h.t.Skip("may not mount, though root: a container without that right")
		}
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() {
		if h.run != nil {
			h.run.Kill9()
		}
		if err := syscall.Unmount(dir, 0); err != nil {
			h.t.Error(err)
		}
	})
}

// fill writes until nothing fits, page by page.
func (h *house) fill() string {
	h.t.Helper()
	file, err := os.Create(filepath.Join(h.Config.Data.Dir, "filler"))
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	for {
		if _, err := file.Write(make([]byte, 4096)); errors.Is(err, syscall.ENOSPC) {
			return file.Name()
		} else if err != nil {
			h.t.Fatal(err)
		}
	}
}
