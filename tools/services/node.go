package services

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/k8guard/k8guard/tools/daemon"
)

// Limits of waiting; generous, since a machine may be busy with other things.
const (
	readyWithin = 5 * time.Minute
	lookEvery   = 100 * time.Millisecond
	callWithin  = 10 * time.Second
	// grace of a node before it is killed.
	grace = 3 * time.Second
)

// node is one process of a service.
type node struct {
	Name    string   `json:"name"`
	Address string   `json:"address"`          // empty: clients do not speak to it
	Mutual  string   `json:"mutual,omitempty"` // Kafka's listener that wants certificates
	Program string   `json:"program"`
	Args    []string `json:"args"`
	Pid     int      `json:"pid"`

	process *daemon.Process
}

// in names a file of the service's folder.
func (s *Service) in(names ...string) string {
	return filepath.Join(append([]string{s.dir}, names...)...)
}

func (s *Service) log(n *node) string { return s.in(n.Name, "log") }

// mark is in the command line of each node.
func (s *Service) mark() string { return s.dir + string(filepath.Separator) }

// launch starts a node, unless it runs, and notes its pid.
func (s *Service) launch(n *node) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n.process != nil && n.process.Alive() {
		return nil
	}
	if err := os.MkdirAll(s.in(n.Name, "tmp"), 0o700); err != nil {
		return fmt.Errorf("make the folder of %s: %w", n.Name, err)
	}
	p, err := daemon.Start(daemon.Command{
		Program: n.Program, Args: n.Args, Dir: s.in(n.Name), Log: s.log(n), Mark: s.mark(), Detached: s.state.Detached,
	})
	if err != nil {
		return err
	}
	n.process, n.Pid = p, p.Pid()
	return s.state.write(s.in(stateFile))
}

// await waits until a node serves.
func (s *Service) await(ctx context.Context, m maker, n *node) error {
	return s.poll(ctx, n, func(ctx context.Context) error { return m.ready(ctx, s, n) })
}

// poll calls done until it returns nil, and gives up when the node has died.
func (s *Service) poll(ctx context.Context, n *node, done func(context.Context) error) error {
	what := fmt.Sprintf("%s, see %s", n.Name, s.log(n))
	return daemon.Await(ctx, daemon.Patience{Within: readyWithin, Every: lookEvery, Call: callWithin}, what,
		func() error { return s.process(n).Died(n.Name, s.log(n)) }, done)
}

func (s *Service) process(n *node) *daemon.Process {
	s.mu.Lock()
	defer s.mu.Unlock()
	return n.process
}

// client returns the i-th node that clients speak to, from 0.
func (s *Service) client(i int) (*node, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.state.Nodes {
		if n.Address == "" {
			continue
		}
		if i == 0 {
			return n, nil
		}
		i--
	}
	return nil, fmt.Errorf("services: %s has no such node, count from 0", s.state.Kind)
}

// Kill ends the i-th node as a crash would, with SIGKILL.
func (s *Service) Kill(i int) error {
	n, err := s.client(i)
	if err != nil {
		return err
	}
	return s.process(n).End(syscall.SIGKILL, grace)
}

// Pause stops the i-th node where it is, with SIGSTOP: its connections stay, and nothing answers.
func (s *Service) Pause(i int) error {
	n, err := s.client(i)
	if err != nil {
		return err
	}
	return s.process(n).Pause()
}

// Resume lets a paused node go on.
func (s *Service) Resume(i int) error {
	n, err := s.client(i)
	if err != nil {
		return err
	}
	return s.process(n).Signal(syscall.SIGCONT)
}

// Restart ends the i-th node if it runs, starts it with its data on its ports, and waits until it serves.
func (s *Service) Restart(ctx context.Context, i int) error {
	n, err := s.client(i)
	if err != nil {
		return err
	}
	m, err := makerOf(s.state.Kind)
	if err != nil {
		return err
	}
	if err := s.process(n).End(syscall.SIGTERM, grace); err != nil {
		return err
	}
	if err := s.launch(n); err != nil {
		return err
	}
	return s.await(ctx, m, n)
}
