package move_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/ledger/move"
)

// childFolder tells a copy of this test binary to import into a folder until it is killed.
const childFolder = "K8GUARD_TEST_IMPORT_FOLDER"

// TestImporter is not a test: it is the process that dies in TestKilledInTheMiddle.
func TestImporter(t *testing.T) {
	dir := os.Getenv(childFolder)
	if dir == "" {
		t.Skip("runs only as a child of TestKilledInTheMiddle")
	}
	to := open(t, dir)
	defer closed(t, to)
	_, err := move.Import(t.Context(), filepath.Join(dir, "file"), to, move.Options{Verify: true, Now: noon, Progress: func(what string, n, of int) {
		fmt.Println("at", what, n, of)
	}})
	fmt.Println("ended", err)
}

// TestKilledInTheMiddle kills an import after each of its steps, and goes on.
func TestKilledInTheMiddle(t *testing.T) {
	from := filled(t, 300, 2)
	text := export(t, from)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "file"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	killed := 0
	for after := 1; after <= 4; after++ {
		if killAfter(t, dir, after) {
			killed++
			half(t, dir)
		}
	}
	if killed < 3 {
		t.Fatalf("killed %d times: this shows nothing", killed)
	}
	to := open(t, dir)
	defer closed(t, to)
	result, err := load(to, filepath.Join(dir, "file"))
	if err != nil || !result.Resumed || result.Dockets != 300 || result.Lines != 600 || result.Records != 3 {
		t.Fatalf("%+v, %v", result, err)
	}
	if again := export(t, to); !bytes.Equal(body(text), body(again)) {
		t.Error("the copy is another")
	}
	if err := ledger.Whole(t.Context(), to); err != nil {
		t.Error(err)
	}
}

// half wants a ledger on which nobody may work.
func half(t *testing.T, dir string) {
	t.Helper()
	l := open(t, dir)
	defer closed(t, l)
	if err := ledger.Whole(t.Context(), l); !errors.Is(err, ledger.ErrHalf) {
		t.Errorf("a ledger whose import was killed counts as whole: %v", err)
	}
	other := write(t, export(t, filled(t, 2, 1)))
	if _, err := load(l, other); !errors.Is(err, move.ErrNotEmpty) {
		t.Errorf("another file goes on with it: %v", err)
	}
}

// killAfter kills an importer when it has told n steps; false is that it was faster.
func killAfter(t *testing.T, dir string, n int) bool {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestImporter$")
	child.Env = append(os.Environ(), childFolder+"="+dir)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for steps := 0; steps < n && lines.Scan(); {
		if bytes.HasPrefix(lines.Bytes(), []byte("at ")) {
			steps++
		}
	}
	_ = child.Process.Signal(syscall.SIGKILL)
	_ = child.Wait()
	status, ok := child.ProcessState.Sys().(syscall.WaitStatus)
	return ok && status.Signaled()
}
