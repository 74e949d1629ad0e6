package stage

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// Process is one running K8Guard, in a process group of its own.
type Process struct {
	cmd  *exec.Cmd
	log  string
	from int64 // where its part of the log begins
	done chan struct{}
	err  error // set before done is closed
}

// Run starts `k8guard run` on this stage; env is added to its environment. It does not
// wait: see [Stage.WaitReady]. The process does not end with ctx, but with the stage.
func (s *Stage) Run(_ context.Context, env ...string) (*Process, error) {
	return s.Target("run", env...)
}

// Target is Run for another target: discover, action or report.
func (s *Stage) Target(target string, env ...string) (*Process, error) {
	binary, err := s.product()
	if err != nil {
		return nil, err
	}
	log, err := os.OpenFile(s.LogFile(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open K8Guard's log: %w", err)
	}
	defer func() { _ = log.Close() }()
	at, err := log.Stat()
	if err != nil {
		return nil, fmt.Errorf("open K8Guard's log: %w", err)
	}
	cmd := exec.Command(binary, target, "--config", s.ConfigFile())
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = log, log, attributes()
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start K8Guard: %w", err)
	}
	p := &Process{cmd: cmd, log: s.LogFile(), from: at.Size(), done: make(chan struct{})}
	go func() {
		p.err = cmd.Wait()
		close(p.done)
	}()
	s.mu.Lock()
	s.running = append(s.running, p)
	s.mu.Unlock()
	return p, nil
}

// Pid of the process.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Kill9 kills the process group with SIGKILL and returns when the process is gone.
func (p *Process) Kill9() {
	select {
	case <-p.done: // its pid may be another's by now
	default:
		_ = syscall.Kill(-p.Pid(), syscall.SIGKILL)
		<-p.done
	}
}

// Terminate asks the process to end and waits for it; after limit it is killed, which is
// an error.
func (p *Process) Terminate(limit time.Duration) error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have just gone
	select {
	case <-p.done:
		return p.err
	case <-time.After(limit):
		p.Kill9()
		return fmt.Errorf("K8Guard did not end within %s of SIGTERM and was killed; the end of its log:\n%s", limit, p.LogTail())
	}
}

// Wait returns how the process ended: nil for exit code 0.
func (p *Process) Wait(ctx context.Context) error {
	select {
	case <-p.done:
		return p.err
	case <-ctx.Done():
		return fmt.Errorf("K8Guard still runs: %w", ctx.Err())
	}
}

// Killed reports whether the process was ended by SIGKILL.
func (p *Process) Killed() bool {
	var exit *exec.ExitError
	select {
	case <-p.done:
	default:
		return false
	}
	if !errors.As(p.err, &exit) {
		return false
	}
	status, ok := exit.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGKILL
}

// LogTail is the end of what this process said.
func (p *Process) LogTail() string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(text[min(p.from, int64(len(text))):])), "\n")
	return strings.Join(lines[max(0, len(lines)-20):], "\n")
}
