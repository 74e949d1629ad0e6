package services

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"github.com/k8guard/k8guard/tools/daemon"
)

const stateFile = "service.json"

// state is what a later process must know of a service.
type state struct {
	Kind     Kind    `json:"kind"`
	Detached bool    `json:"detached"`
	Access   Access  `json:"access"`
	Settled  bool    `json:"settled"` // users are made
	Nodes    []*node `json:"nodes"`
}

// write replaces the file in one step, so that a reader never sees half of it.
func (s state) write(file string) error {
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the service's state: %w", err)
	}
	if err := os.WriteFile(file+".new", text, 0o600); err != nil {
		return fmt.Errorf("write the service's state: %w", err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		return fmt.Errorf("write the service's state: %w", err)
	}
	return nil
}

// settled notes that the service's users are made.
func (s *Service) settled() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.Settled = true
	return s.state.write(s.in(stateFile))
}

// Attach returns the service of a folder; with ErrNotRunning if one of its nodes does not
// run, so that its remains can be stopped and removed; nil if the folder holds none.
func Attach(dir string) (*Service, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("resolve the state folder: %w", err)
	}
	s := &Service{dir: dir}
	text, err := os.ReadFile(s.in(stateFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w in %s", ErrNotRunning, dir)
	}
	if err != nil {
		return nil, fmt.Errorf("read the service's state: %w", err)
	}
	if err := json.Unmarshal(text, &s.state); err != nil {
		return nil, fmt.Errorf("decode %s, remove the folder if it is not a service's: %w", s.in(stateFile), err)
	}
	for _, n := range s.state.Nodes {
		n.process = daemon.Find(n.Pid, s.mark())
	}
	for _, n := range s.state.Nodes {
		if !n.process.Alive() {
			return s, fmt.Errorf("%w in %s: no %s", ErrNotRunning, dir, n.Name)
		}
	}
	return s, nil
}

// Stop kills all nodes: data survives that, and tidying up takes seconds. What is stopped
// stays in the folder. Stopping again does nothing.
func (s *Service) Stop() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	errs := make(chan error, len(s.state.Nodes))
	var all sync.WaitGroup
	for _, n := range s.state.Nodes {
		if n.process != nil {
			all.Go(func() { errs <- n.process.End(syscall.SIGKILL, grace) })
		}
	}
	all.Wait()
	close(errs)
	var err error
	for e := range errs {
		err = errors.Join(err, e)
	}
	return err
}

// Remove stops the service and removes what Start put into its folder, and the folder if
// nothing else is in it.
func (s *Service) Remove() error {
	if err := s.Stop(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	names := []string{stateFile, "pki", "conf"}
	for _, n := range s.state.Nodes {
		names = append(names, n.Name)
	}
	for _, name := range names {
		if err := os.RemoveAll(s.in(name)); err != nil {
			return fmt.Errorf("remove the service's state: %w", err)
		}
	}
	_ = os.Remove(s.dir) // holds something of another's
	return nil
}
