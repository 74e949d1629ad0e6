package controlplane

import (
	"path/filepath"

	"github.com/k8guard/k8guard/tools/daemon"
)

// launchLocked starts a program, unless it runs, and notes its pid.
func (c *Cluster) launchLocked(name string) error {
	if p := c.processes[name]; p != nil && p.Alive() {
		return nil
	}
	p, err := daemon.Start(daemon.Command{
		Program: filepath.Join(c.state.Programs, name), Args: c.arguments(name), Dir: c.at.dir, Log: c.at.log(name),
		Mark: c.at.mark(), Detached: c.state.Detached,
	})
	if err != nil {
		return err
	}
	c.processes[name], c.state.Pids[name] = p, p.Pid()
	return c.state.write(c.at)
}
