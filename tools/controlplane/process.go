package controlplane

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// process is a program of the cluster. A cluster that was attached to knows only its pid.
type process struct {
	name string
	pid  int
	dir  string        // in its command line
	done chan struct{} // closed when reaped; nil if it is not our child
}

// launchLocked starts a program, unless it runs, and notes its pid.
func (c *Cluster) launchLocked(name string) error {
	if p := c.processes[name]; p != nil && p.alive() {
		return nil
	}
	log, err := os.OpenFile(c.at.log(name), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("open the log of %s: %w", name, err)
	}
	defer func() { _ = log.Close() }()
	cmd := exec.Command(filepath.Join(c.state.Programs, name), c.arguments(name)...)
	cmd.Stdout, cmd.Stderr, cmd.Dir = log, log, c.at.dir
	cmd.SysProcAttr = attributes(c.state.Detached)
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", name, err)
	}
	p := &process{name: name, pid: cmd.Process.Pid, dir: c.at.dir, done: make(chan struct{})}
	go func() {
		_ = cmd.Wait() // how it ended is in its log
		close(p.done)
	}()
	c.processes[name] = p
	c.state.Pids[name] = p.pid
	return c.state.write(c.at)
}

// alive says whether the process runs. A pid given to another program since does not count.
func (p *process) alive() bool {
	if p.done != nil {
		select {
		case <-p.done:
			return false
		default:
			return true
		}
	}
	return strings.Contains(commandLine(p.pid), p.dir+string(filepath.Separator))
}

// end sends the signal, waits, and kills what is left after grace.
func (p *process) end(signal syscall.Signal, grace time.Duration) error {
	if p.alive() {
		_ = syscall.Kill(p.pid, signal) // it may have just gone
	}
	if p.gone(grace) {
		return nil
	}
	_ = syscall.Kill(p.pid, syscall.SIGKILL)
	if p.gone(2 * time.Second) {
		return nil
	}
	return fmt.Errorf("controlplane: %s (pid %d) survived SIGKILL, look at it with ps", p.name, p.pid)
}

func (p *process) gone(within time.Duration) bool {
	for end := time.Now().Add(within); p.alive(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			return false
		}
	}
	return true
}

// died returns an error with the end of the log if the process no longer runs.
func (p *process) died(log string) error {
	if p.alive() {
		return nil
	}
	text, err := os.ReadFile(log)
	if err != nil {
		return errors.Join(fmt.Errorf("%s died", p.name), err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return fmt.Errorf("%s died; the end of %s:\n%s", p.name, log, strings.Join(lines[max(0, len(lines)-15):], "\n"))
}
