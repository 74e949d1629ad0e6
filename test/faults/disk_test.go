package faults

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"regexp"
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
	h := newHouse(t, p, "disk-full", func(c *config.Config) { c.Policies[0].Ladder.LastWait = 30 * time.Second })
	h.mount()
	h.start()
	h.apply(privileged(h.ns, "web"))
	h.until(30*time.Second, "two warnings are confirmed", func() bool { return h.confirmed() == warnings })
	free := h.pin()
	filler := h.fill()
	h.apply(privileged(h.ns, "late"))
	said := h.log(20*time.Second, "is put off", "disk is full")
	mails := h.mails()
	time.Sleep(32 * time.Second) // past the time of the act
	h.wantActs()
	if n := h.mails(); n > mails {
		t.Errorf("%d mails went out that were not on record first", n-mails)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	free()
	h.until(2*time.Minute, "both are acted on", func() bool { return len(h.acts()) == 2 })
	// Whose docket it names is chance: other stories have theirs in the same cluster.
	h.golden("disk-full", "log: "+regexp.MustCompile(`root=\S+`).ReplaceAllString(said, "root=ROOT"))
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

// pin empties the ledger's write-ahead log and holds a reader on it until free is called: the
// log can then not begin anew in the room that it has, which would let a full disk take much.
func (h *house) pin() (free func()) {
	h.t.Helper()
	db, err := sql.Open("sqlite", "file:"+h.LedgerFile()+"?_pragma=busy_timeout(100)")
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = db.Close() })
	h.until(20*time.Second, "the write-ahead log is emptied", func() bool {
		var busy, frames, moved int
		return db.QueryRowContext(h.t.Context(), "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &frames, &moved) == nil && busy == 0
	})
	tx, err := db.BeginTx(h.t.Context(), nil)
	if err != nil {
		h.t.Fatal(err)
	}
	var n int
	if err := tx.QueryRowContext(h.t.Context(), "SELECT count(*) FROM dockets").Scan(&n); err != nil {
		h.t.Fatal(err)
	}
	return func() { _ = tx.Rollback(); _ = db.Close() }
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
