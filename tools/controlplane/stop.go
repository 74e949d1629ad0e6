package controlplane

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"
)

// grace of a program before it is killed. The API server would wait a minute for its
// watchers; nothing is lost by not letting it.
const grace = 2 * time.Second

// Stop ends all programs of the cluster, within 10 seconds. What is stopped stays in the
// folder. Stopping again does nothing.
func (c *Cluster) Stop() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	errs := make(chan error, len(c.processes))
	var all sync.WaitGroup
	for name, p := range c.processes {
		if name != etcd { // which the others still write to
			all.Go(func() { errs <- p.End(syscall.SIGTERM, grace) })
		}
	}
	all.Wait()
	if p := c.processes[etcd]; p != nil {
		errs <- p.End(syscall.SIGTERM, grace)
	}
	close(errs)
	var err error
	for e := range errs {
		err = errors.Join(err, e)
	}
	return err
}

// Remove stops the cluster and removes what Start put into its folder, and the folder if
// nothing else is in it.
func (c *Cluster) Remove() error {
	if err := c.Stop(); err != nil {
		return err
	}
	for _, name := range c.at.entries() {
		if err := os.RemoveAll(c.at.in(name)); err != nil {
			return fmt.Errorf("remove the cluster's state: %w", err)
		}
	}
	_ = os.Remove(c.at.dir) // holds something of another's
	return nil
}

// StopAPIServer kills the API server as a crash would, with SIGKILL.
func (c *Cluster) StopAPIServer() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p := c.processes[apiServer]; p != nil {
		return p.End(syscall.SIGKILL, grace)
	}
	return nil
}

// StartAPIServer starts the API server on the port it had and waits until it is ready.
func (c *Cluster) StartAPIServer(ctx context.Context) error {
	c.mu.Lock()
	err := c.launchLocked(apiServer)
	c.mu.Unlock()
	if err != nil {
		return err
	}
	return c.awaitAPI(ctx)
}

// RestartAPIServer kills the API server and starts it again.
func (c *Cluster) RestartAPIServer(ctx context.Context) error {
	if err := c.StopAPIServer(); err != nil {
		return err
	}
	return c.StartAPIServer(ctx)
}
