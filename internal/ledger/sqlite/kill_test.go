package sqlite_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/ledger/sqlite"
)

// writerFolder tells a copy of this test binary to write into a ledger until it is killed.
const writerFolder = "K8GUARD_TEST_WRITER_FOLDER"

const killRounds = 10

// TestWriter is not a test: it is the process that dies in TestKillLosesNothing.
func TestWriter(t *testing.T) {
	dir := os.Getenv(writerFolder)
	if dir == "" {
		t.Skip("runs only as a child of TestKillLosesNothing")
	}
	l := open(t, dir)
	defer func() { _ = l.Close() }()
	for ctx := t.Context(); ; {
		d, err := ledger.Update(ctx, l, killed(), func(d docket.Docket) (docket.Docket, []docket.Entry, bool, error) {
			d.Hash = fmt.Sprint(d.Version + 1)
			d.Cases = []docket.Case{{ID: "c-killed", State: docket.Open, Message: d.Hash}}
			return d, []docket.Entry{{At: time.Now(), Kind: docket.EntrySeen, Text: d.Hash}}, true, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		n, err := ledger.UpdateRecord(ctx, l, "killed/record", func(n *int64) (bool, error) { *n++; return true, nil })
		if err != nil {
			t.Fatal(err)
		}
		fmt.Println("ack", d.Version, n)
	}
}

func killed() docket.Key { return docket.Key{Cluster: "cluster", Root: "killed"} }

func TestKillLosesNothing(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, seed))
	dir := t.TempDir()
	var version, record int64
	for round := range killRounds {
		before := version
		version, record = writeUntilKilled(t, dir, time.Duration(5+random.IntN(150))*time.Millisecond)
		if version <= before {
			t.Fatalf("round %d: acknowledged up to %d, was %d: it wrote nothing", round, version, before)
		}
		checkKept(t, dir, version, record)
	}
	t.Logf("%d rounds, %d writes acknowledged", killRounds, version)
}

// writeUntilKilled starts a writer, kills it some time after its first write and returns
// the newest versions that it had printed.
func writeUntilKilled(t *testing.T, dir string, life time.Duration) (version, record int64) {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestWriter$")
	child.Env = append(os.Environ(), writerFolder+"="+dir)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		var v, r int64
		if _, err := fmt.Sscanf(lines.Text(), "ack %d %d", &v, &r); err != nil {
			continue // a line that the kill cut short, or not the writer's
		}
		if version == 0 {
			time.AfterFunc(life, func() { _ = child.Process.Kill() })
		}
		version, record = v, r
	}
	if err := child.Wait(); err == nil {
		t.Fatal("the writer ended by itself")
	}
	return version, record
}

// checkKept opens the ledger that the dead process left.
func checkKept(t *testing.T, dir string, version, record int64) {
	t.Helper()
	l, err := sqlite.Open(t.Context(), filepath.Join(dir, "ledger.db"), time.Now)
	if err != nil {
		t.Fatalf("open after the kill: %v", err)
	}
	defer func() { _ = l.Close() }()
	ctx := context.Background()
	d, err := l.Load(ctx, killed())
	if err != nil || d.Version < version || d.Version > version+1 || d.Hash != fmt.Sprint(d.Version) {
		t.Fatalf("acknowledged %d; stored %d with %q, %v", version, d.Version, d.Hash, err)
	}
	n, err := ledger.Read[int64](ctx, l, "killed/record")
	if err != nil || n < record || n > record+1 {
		t.Fatalf("acknowledged record %d; stored %d, %v", record, n, err)
	}
	page, err := l.Cases(ctx, ledger.CaseQuery{})
	if err != nil || page.Total != 1 || page.Rows[0].Case.Message != d.Hash {
		t.Fatalf("the case is not the docket's: %+v, %v", page, err)
	}
	var after, want int64
	for {
		lines, err := l.History(ctx, killed(), after, 1000)
		if err != nil {
			t.Fatal(err)
		}
		if len(lines) == 0 {
			break
		}
		for _, line := range lines {
			want++
			after = line.Seq
			if line.Entry.Text != fmt.Sprint(want) {
				t.Fatalf("history entry %d says %q", want, line.Entry.Text)
			}
		}
	}
	if want != d.Version {
		t.Fatalf("%d history entries for version %d", want, d.Version)
	}
}
