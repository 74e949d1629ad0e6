package sqlite_test

import (
	"bufio"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger/sqlite"
)

func TestSecondProcessIsRefused(t *testing.T) {
	dir := t.TempDir()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestWriter$")
	child.Env = append(os.Environ(), writerFolder+"="+dir)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = child.Process.Kill()
		_ = child.Wait()
	}()
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || !strings.HasPrefix(line, "ack") {
		t.Fatalf("writer: %q, %v", line, err)
	}
	go func() { _, _ = bufio.NewReader(out).WriteTo(nowhere{}) }()
	path := filepath.Join(dir, "ledger.db")
	if l, err := sqlite.Open(t.Context(), path, time.Now); err == nil || !strings.Contains(err.Error(), "another k8guard") || !strings.Contains(err.Error(), path) {
		t.Errorf("open beside a running writer: %v, %v", l, err)
	}
	readOutside(t, path)
}

type nowhere struct{}

func (nowhere) Write(p []byte) (int, error) { return len(p), nil }

// readOutside reads while another process writes, and cannot write itself.
func readOutside(t *testing.T, path string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var first, entries int64
	for began := time.Now(); time.Since(began) < 300*time.Millisecond; {
		var version int64
		if err := db.QueryRow("SELECT version, (SELECT count(*) FROM history) FROM dockets").Scan(&version, &entries); err != nil {
			t.Fatal(err)
		}
		if version != entries {
			t.Fatalf("an outside reader saw version %d with %d entries", version, entries)
		}
		if first == 0 {
			first = version
		}
	}
	if entries <= first {
		t.Errorf("the writer stood still at %d while it was read", first)
	}
	if _, err := db.Exec("DELETE FROM records"); err == nil {
		t.Error("a read-only reader wrote")
	}
}

func TestOneFileUnderTwoNamesIsOneLedger(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	defer func() { _ = l.Close() }()
	for _, link := range []struct{ from, to, path string }{
		{dir, filepath.Join(t.TempDir(), "dir"), "ledger.db"},
		{filepath.Join(dir, "ledger.db"), filepath.Join(t.TempDir(), "other.db"), ""},
	} {
		if err := os.Symlink(link.from, link.to); err != nil {
			t.Fatal(err)
		}
		if second, err := sqlite.Open(t.Context(), filepath.Join(link.to, link.path), time.Now); err == nil {
			t.Errorf("opened a second time over the link %s", link.to)
			_ = second.Close()
		}
	}
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	dir := t.TempDir()
	noise := filepath.Join(dir, "noise.db")
	if err := os.WriteFile(noise, []byte(strings.Repeat("this is not a database. ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	newer := filepath.Join(dir, "ledger.db")
	if err := open(t, dir).Close(); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", newer)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("PRAGMA user_version = 99"); err != nil {
		t.Fatal(err)
	}
	_ = db.Close()
	for path, want := range map[string]string{
		noise: "is it a K8Guard ledger?", newer: "newer K8Guard", filepath.Join(dir, "none", "x.db"): "does its folder exist",
	} {
		if l, err := sqlite.Open(t.Context(), path, time.Now); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("open %s: %v, %v; want an error with %q", path, l, err, want)
		}
	}
}

func TestTooLargeIsRefusedWhole(t *testing.T) {
	l := open(t, t.TempDir())
	defer func() { _ = l.Close() }()
	d := docket.Docket{Key: killed(), Hash: strings.Repeat("x", sqlite.MaxDocument)}
	small := docket.Docket{Key: killed()}
	large := docket.Entry{Kind: docket.EntrySeen, Text: d.Hash}
	for _, err := range []error{
		func() error { _, err := l.CompareAndSet(t.Context(), d, nil); return err }(),
		func() error { _, err := l.CompareAndSet(t.Context(), small, []docket.Entry{large}); return err }(),
	} {
		if err == nil || !strings.Contains(err.Error(), fmt.Sprint(sqlite.MaxDocument)) {
			t.Errorf("want an error that names the bound, got %v", err)
		}
	}
	if got, err := l.Load(t.Context(), killed()); err != nil || got.Version != 0 {
		t.Errorf("something was stored: %+v, %v", got, err)
	}
}
