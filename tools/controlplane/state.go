package controlplane

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/k8guard/k8guard/tools/daemon"
)

// state is what a later process must know of a cluster.
type state struct {
	Programs string         `json:"programs"`
	Detached bool           `json:"detached"`
	Ports    ports4         `json:"ports"`
	Pids     map[string]int `json:"pids"`
}

type ports4 struct {
	API      int `json:"api"`
	Etcd     int `json:"etcd"`
	EtcdPeer int `json:"etcdPeer"`
	Kwok     int `json:"kwok"`
}

// write replaces the file in one step, so that a reader never sees half of it.
func (s state) write(at layout) error {
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the cluster's state: %w", err)
	}
	if err := os.WriteFile(at.in(stateFile+".new"), text, 0o600); err != nil {
		return fmt.Errorf("write the cluster's state: %w", err)
	}
	if err := os.Rename(at.in(stateFile+".new"), at.in(stateFile)); err != nil {
		return fmt.Errorf("write the cluster's state: %w", err)
	}
	return nil
}

// Attach returns the cluster that runs in the folder, or ErrNotRunning if its API server
// does not. In the second case the cluster is returned too if the folder holds one, so that
// its remains can be stopped and removed.
func Attach(dir string) (*Cluster, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("resolve the state folder: %w", err)
	}
	at := layout{dir: dir}
	text, err := os.ReadFile(at.in(stateFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w in %s", ErrNotRunning, dir)
	}
	if err != nil {
		return nil, fmt.Errorf("read the cluster's state: %w", err)
	}
	c := &Cluster{at: at, processes: map[string]*daemon.Process{}}
	if err := json.Unmarshal(text, &c.state); err != nil {
		return nil, fmt.Errorf("decode %s, remove the folder if it is not a cluster's: %w", at.in(stateFile), err)
	}
	for name, pid := range c.state.Pids {
		c.processes[name] = daemon.Find(pid, at.mark())
	}
	if p := c.processes[apiServer]; p == nil || !p.Alive() {
		return c, fmt.Errorf("%w in %s: no API server", ErrNotRunning, dir)
	}
	return c, nil
}
