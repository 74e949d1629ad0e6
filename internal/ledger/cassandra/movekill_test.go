package cassandra_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/ledger/cassandra"
	"github.com/k8guard/k8guard/internal/ledger/move"
	"github.com/k8guard/k8guard/internal/ledger/sqlite"
	"github.com/k8guard/k8guard/tools/services"
)

// importInto tells a copy of this test binary to import: "host keyspace file".
const importInto = "K8GUARD_TEST_IMPORT_INTO"

// TestImporter is not a test: it is the process that dies in "an import that is killed".
func TestImporter(t *testing.T) {
	at := strings.Fields(os.Getenv(importInto))
	if len(at) != 3 {
		t.Skip("runs only as a child of TestReal")
	}
	store, err := cassandra.Open(t.Context(), cassandra.Settings{Hosts: at[:1], Keyspace: at[1], LocalDC: "datacenter1", Replication: 1, Timeout: 10 * time.Second,
		CreateSchema: true, Retention: 90 * 24 * time.Hour, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	_, err = move.Import(t.Context(), at[2], store, move.Options{Verify: true, Now: time.Now, Progress: func(what string, n, of int) { fmt.Println("at", what, n, of) }})
	fmt.Println("ended", err)
}

// killedImport kills an import some time after each of its steps, and goes on with it.
func killedImport(t *testing.T, s *services.Service) {
	from, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "ledger.db"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = from.Close() }()
	for i := range 250 {
		d := sample(fmt.Sprintf("root-%03d", i), docket.Open)
		if _, err := from.CompareAndSet(t.Context(), d, []docket.Entry{{At: time.Now(), Kind: docket.EntrySeen, Text: "seen"}, {At: time.Now(), Kind: docket.EntryPlan, Text: "planned"}}); err != nil {
			t.Fatal(err)
		}
	}
	first, name := exported(t, from)
	conf := settings(t, s, "killedimport")
	store := open(t, conf)
	killed := 0
	for step := 1; step <= 3; step++ {
		if killImport(t, fmt.Sprint(s.Addresses()[0], " killedimport ", name), step, time.Duration(step*17)*time.Millisecond) {
			killed++
		}
		if err := ledger.Whole(t.Context(), store); killed > 0 && !errors.Is(err, ledger.ErrHalf) {
			t.Errorf("after %d kills it counts as whole: %v", killed, err)
		}
	}
	if killed == 0 {
		t.Fatal("nothing was killed: this shows nothing")
	}
	result := imported(t, store, name)
	if !result.Resumed || result.Dockets != 250 || result.Lines != 500 {
		t.Errorf("%+v", result)
	}
	if again, _ := exported(t, store); !bytes.Equal(first, again) {
		t.Error("the copy is another")
	}
}

func killImport(t *testing.T, into string, steps int, after time.Duration) bool {
	t.Helper()
	child := osexec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestImporter$")
	child.Env = append(os.Environ(), importInto+"="+into)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(out); steps > 0 && lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "at ") {
			steps--
		}
	}
	time.Sleep(after) // in the middle of the next step
	_ = child.Process.Signal(syscall.SIGKILL)
	_ = child.Wait()
	status, ok := child.ProcessState.Sys().(syscall.WaitStatus)
	return ok && status.Signaled()
}
