// Package daemon starts, finds and ends the servers that tests and development run.
//
// Purpose: one place for what is easy to get wrong: no server outlives the test that started
// it, and no pid that was given to another program since is ever signalled.
//
// Concurrency: the methods of one Process may be called from many goroutines.
//
// Guarantees: on Linux a process that is not detached dies with the one that started it, also
// by kill -9. End returns nil only when the process is gone.
//
// It will not: restart what died, or look for processes by their name.
package daemon

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

const (
	// lastLines of a log are shown when its program died.
	lastLines = 15
	// patience with the kernel, which stops and kills at once unless it is very busy.
	patience = 30 * time.Second
)

// sight is what the system says of a pid.
type sight struct {
	exists  bool   // and is not only waiting for its parent
	command string // empty also while it exits
}

// Command says what to start.
type Command struct {
	Program string
	Args    []string
	Env     []string // besides our own
	Dir     string   // working folder
	Log     string   // file that both outputs are appended to
	// Mark is a text of the command line, such as a path of the server's own folder, by which
	// a later process knows that a pid is still this server's.
	Mark     string
	Detached bool
}

// Process is a server that was started, or found again.
type Process struct {
	pid  int
	mark string
	done chan struct{} // closed when reaped; nil if it is not our child
}

// Start starts a server.
func Start(c Command) (*Process, error) {
	if !strings.Contains(strings.Join(c.Args, " "), c.Mark) || c.Mark == "" {
		return nil, fmt.Errorf("daemon: %s has no argument with its mark %q, give it one", c.Program, c.Mark)
	}
	log, err := os.OpenFile(c.Log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the log of %s: %w", c.Program, err)
	}
	defer func() { _ = log.Close() }()
	cmd := exec.Command(c.Program, c.Args...)
	cmd.Stdout, cmd.Stderr, cmd.Dir = log, log, c.Dir
	cmd.Env = append(os.Environ(), c.Env...)
	cmd.SysProcAttr = attributes(c.Detached)
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", c.Program, err)
	}
	p := &Process{pid: cmd.Process.Pid, mark: c.Mark, done: make(chan struct{})}
	go func() {
		_ = cmd.Wait() // how it ended is in its log
		close(p.done)
	}()
	return p, nil
}

// Find returns the process of a pid that was noted, whether or not it still runs.
func Find(pid int, mark string) *Process { return &Process{pid: pid, mark: mark} }

// Pid of the process.
func (p *Process) Pid() int { return p.pid }

// Alive says whether it runs, or is paused. A pid given to another program since does not count.
func (p *Process) Alive() bool {
	if p.done != nil { // our child: nobody gets its pid before we have reaped it
		return !p.reaped() && look(p.pid).exists
	}
	return p.mark != "" && strings.Contains(look(p.pid).command, p.mark)
}

func (p *Process) reaped() bool {
	select {
	case <-p.done: // nil, and so never, for what is not our child
		return true
	default:
		return false
	}
}

// ended says that nothing is left of it, no open port either.
func (p *Process) ended() bool {
	if p.done != nil {
		return p.reaped()
	}
	now := look(p.pid)
	return !now.exists || (now.command != "" && !strings.Contains(now.command, p.mark))
}

// Signal sends a signal to a process that is alive; otherwise it is an error.
func (p *Process) Signal(signal syscall.Signal) error {
	if !p.Alive() {
		return fmt.Errorf("daemon: pid %d does not run, so it cannot be sent %s", p.pid, signal)
	}
	if err := syscall.Kill(p.pid, signal); err != nil {
		return fmt.Errorf("send %s to pid %d: %w", signal, p.pid, err)
	}
	return nil
}

// Pause sends SIGSTOP and waits until no thread of the process goes on.
func (p *Process) Pause() error {
	if err := p.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	if !within(patience, func() bool { return stopped(p.pid) }) {
		return fmt.Errorf("daemon: pid %d does not stop, look at it with ps", p.pid)
	}
	return nil
}

// End sends the signal, waits, and kills what is left after grace. A paused process ends too.
func (p *Process) End(signal syscall.Signal, grace time.Duration) error {
	if p.Alive() {
		_ = syscall.Kill(p.pid, signal) // it may have just gone
		_ = syscall.Kill(p.pid, syscall.SIGCONT)
	}
	if within(grace, p.ended) {
		return nil
	}
	if p.Alive() {
		_ = syscall.Kill(p.pid, syscall.SIGKILL)
	}
	if within(patience, p.ended) {
		return nil
	}
	return fmt.Errorf("daemon: pid %d survived SIGKILL, look at it with ps", p.pid)
}

func within(limit time.Duration, done func() bool) bool {
	for end := time.Now().Add(limit); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			return false
		}
	}
	return true
}

// Died returns an error with the end of the log if the process no longer runs.
func (p *Process) Died(name, log string) error {
	if p.Alive() {
		return nil
	}
	text, err := os.ReadFile(log)
	if err != nil {
		return errors.Join(fmt.Errorf("%s died", name), err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return fmt.Errorf("%s died; the end of %s:\n%s", name, log, strings.Join(lines[max(0, len(lines)-lastLines):], "\n"))
}
