package daemon_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/k8guard/k8guard/tools/daemon"
)

const modeVariable = "K8GUARD_DAEMON_TEST"

// sleeper is TestSleeper as a program; its mark is an argument that it does not look at.
func sleeper(dir string, detached bool) daemon.Command {
	mark := dir + string(filepath.Separator)
	return daemon.Command{Program: os.Args[0], Args: []string{"-test.run=^TestSleeper$", mark}, Env: []string{modeVariable + "=sleeper"},
		Dir: dir, Log: filepath.Join(dir, "log"), Mark: mark, Detached: detached}
}

// TestSleeper is no test: it is a server that handles SIGTERM, as real ones do.
func TestSleeper(t *testing.T) {
	if os.Getenv(modeVariable) != "sleeper" {
		t.Skip("is run by other tests")
	}
	terminated := make(chan os.Signal, 1)
	signal.Notify(terminated, syscall.SIGTERM)
	fmt.Println("started")
	select {
	case <-terminated:
	case <-time.After(time.Minute):
	}
}

// started waits until the sleeper handles signals.
func started(t *testing.T, log string) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		text, err := os.ReadFile(log)
		if strings.Contains(string(text), "started") {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("it has not started: %q, %v", text, err)
		}
	}
}

func start(t *testing.T, c daemon.Command) *daemon.Process {
	t.Helper()
	p, err := daemon.Start(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.End(syscall.SIGKILL, time.Second) })
	return p
}

// TestParent is no test: it is what TestNothingOutlivesATestThatIsKilled kills.
func TestParent(t *testing.T) {
	mode := os.Getenv(modeVariable)
	if mode != "attached" && mode != "detached" {
		t.Skip("is run by another test")
	}
	p, err := daemon.Start(sleeper(os.Getenv(modeVariable+"_DIR"), mode == "detached"))
	if err != nil {
		t.Fatal(err)
	}
	fmt.Printf("pid %d\n", p.Pid())
	time.Sleep(time.Minute)
}

func TestNothingOutlivesATestThatIsKilled(t *testing.T) {
	for mode, stays := range map[string]bool{"attached": false, "detached": true} {
		t.Run(mode, func(t *testing.T) {
			dir := t.TempDir()
			parent := exec.Command(os.Args[0], "-test.run=^TestParent$")
			parent.Env = append(os.Environ(), modeVariable+"="+mode, modeVariable+"_DIR="+dir)
			out, err := parent.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := parent.Start(); err != nil {
				t.Fatal(err)
			}
			child := daemon.Find(pidFrom(t, out), dir+string(filepath.Separator))
			started(t, filepath.Join(dir, "log"))
			if !child.Alive() {
				t.Error("the child does not run")
			}
			_ = parent.Process.Kill()
			_ = parent.Wait()
			deadline := time.Now().Add(10 * time.Second)
			for child.Alive() && !stays && time.Now().Before(deadline) {
				time.Sleep(10 * time.Millisecond)
			}
			if child.Alive() != stays {
				t.Errorf("after its parent was killed the child is alive: %t, want %t", child.Alive(), stays)
			}
			if err := child.End(syscall.SIGTERM, time.Second); err != nil || child.Alive() {
				t.Errorf("ending it: %v", err)
			}
		})
	}
}

func pidFrom(t *testing.T, out interface{ Read([]byte) (int, error) }) int {
	t.Helper()
	for scanner := bufio.NewScanner(out); scanner.Scan(); {
		if text, ok := strings.CutPrefix(scanner.Text(), "pid "); ok {
			pid, err := strconv.Atoi(text)
			if err != nil {
				t.Fatal(err)
			}
			return pid
		}
	}
	t.Fatal("the parent named no pid")
	return 0
}

func TestAPidThatIsAnothersIsSpared(t *testing.T) {
	me := daemon.Find(os.Getpid(), t.TempDir()+string(filepath.Separator))
	if me.Alive() {
		t.Error("this test passes for a server")
	}
	if err := me.Signal(syscall.SIGKILL); err == nil {
		t.Error("a signal was sent")
	}
	if err := me.End(syscall.SIGKILL, time.Second); err != nil { // would kill this test
		t.Error(err)
	}
}

func TestPausedProcessEnds(t *testing.T) {
	c := sleeper(t.TempDir(), false)
	p := start(t, c)
	started(t, c.Log)
	if err := p.Pause(); err != nil {
		t.Fatal(err)
	}
	if !p.Alive() {
		t.Error("a paused process counts as gone")
	}
	began := time.Now()
	if err := p.End(syscall.SIGTERM, time.Minute); err != nil {
		t.Fatal(err)
	}
	if waited := time.Since(began); waited > 30*time.Second {
		t.Errorf("it ended after %s: only when killed", waited)
	}
	if p.Alive() {
		t.Error("it still runs")
	}
}

func TestADeadProgramSaysWhatItSaidLast(t *testing.T) {
	dir := t.TempDir()
	c := sleeper(dir, false)
	c.Program = "/bin/sh"
	c.Args[0], c.Args[1] = "-c", "for i in $(seq 40); do echo line $i; done; exit 1 # "+c.Mark
	p := start(t, c)
	if err := p.End(syscall.SIGCONT, 10*time.Second); err != nil { // SIGCONT: only wait
		t.Fatal(err)
	}
	err := p.Died("server", c.Log)
	if err == nil || !strings.Contains(err.Error(), "line 26\n") || !strings.Contains(err.Error(), "line 40") || strings.Contains(err.Error(), "line 25\n") {
		t.Errorf("got %v", err)
	}
}

func TestStartWantsAMark(t *testing.T) {
	c := sleeper(t.TempDir(), false)
	c.Mark = "/somewhere/else/"
	if _, err := daemon.Start(c); err == nil || !strings.Contains(err.Error(), c.Mark) {
		t.Errorf("got %v", err)
	}
}

func TestFreePortsDiffer(t *testing.T) {
	ports, err := daemon.FreePorts(50)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[int]bool{}
	for _, port := range ports {
		if seen[port] {
			t.Errorf("%d twice", port)
		}
		seen[port] = true
	}
	if len(seen) != 50 {
		t.Errorf("%d ports", len(seen))
	}
	if _, err := daemon.FreePorts(1, "192.0.2.1"); err == nil || !strings.Contains(err.Error(), "192.0.2.1") {
		t.Errorf("ports of a host that is not ours: %v", err)
	}
}

// A port that was given is given to nobody else while we live, though nothing listens there yet.
func TestAPortIsGivenOnce(t *testing.T) {
	seen := map[int]bool{}
	for range 20 {
		ports, err := daemon.FreePorts(50)
		if err != nil {
			t.Fatal(err)
		}
		for _, port := range ports {
			if seen[port] {
				t.Fatalf("%d is given twice", port)
			}
			seen[port] = true
		}
	}
}
