// Package controlplane runs a real Kubernetes control plane on this machine, for tests and
// for development: etcd, API server, controller manager, scheduler, and kwok as the kubelet
// of nodes that do not exist.
//
// Purpose: to let a test or a person hold K8Guard against the API server it will meet, with
// RBAC on, TLS throughout and an audit log that says who wrote what.
//
// Concurrency: several clusters may run side by side, each in a folder of its own. The
// methods of one Cluster may be called from many goroutines.
//
// Guarantees: everything listens on 127.0.0.1. What Start began is gone when Stop returns
// nil, and when Start returns an error. No event is left out of the audit log for want of
// room or time.
//
// It will not: download programs (it builds them from the modules beside it), run containers,
// or keep a cluster's data safe from a power failure.
package controlplane

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	corev1 "k8s.io/api/core/v1"

	"github.com/k8guard/k8guard/tools/daemon"
)

// ErrNotRunning says that a folder holds no cluster that runs.
var ErrNotRunning = errors.New("controlplane: not running")

// Options of a cluster. Only Dir is required.
type Options struct {
	// Dir is the state folder: absent or empty, and of this cluster alone.
	Dir string
	// Nodes is the number of fake nodes; 0 means 1, less than 0 none.
	Nodes int
	// Images are what every node's status says it holds, with names and sizes in bytes.
	Images []corev1.ContainerImage
	// WithoutKwok leaves the nodes without a kubelet: pods are scheduled and stay Pending.
	WithoutKwok bool
	// Detached lets the cluster outlive this process. Otherwise, on Linux, the cluster dies
	// with it.
	Detached bool
	// Progress is told what takes long; nil means nobody.
	Progress io.Writer
}

// Cluster is a control plane that was started.
type Cluster struct {
	at layout

	mu        sync.Mutex
	state     state
	processes map[string]*daemon.Process
}

// Start starts a control plane and returns when it is of use: the API server is ready, the
// default namespace has its service account, and every node is Ready. The error of a program
// that died carries the end of its log.
func Start(ctx context.Context, o Options) (*Cluster, error) {
	if o.Progress == nil {
		o.Progress = io.Discard
	}
	programs, err := Assets(ctx, o.Progress)
	if err != nil {
		return nil, err
	}
	dir, err := daemon.Claim("controlplane", "the cluster's", o.Dir)
	if err != nil {
		return nil, err
	}
	c := &Cluster{at: layout{dir: dir}, processes: map[string]*daemon.Process{}}
	c.state = state{Programs: programs, Detached: o.Detached, Pids: map[string]int{}}
	if err := c.bringUp(ctx, o); err != nil {
		return nil, errors.Join(fmt.Errorf("start the control plane in %s: %w", dir, err), c.Stop())
	}
	return c, nil
}

func (c *Cluster) bringUp(ctx context.Context, o Options) error {
	if err := c.prepare(); err != nil {
		return err
	}
	c.mu.Lock()
	err := errors.Join(c.launchLocked(etcd), c.launchLocked(apiServer))
	c.mu.Unlock()
	if err != nil {
		return err
	}
	if err := c.awaitAPI(ctx); err != nil {
		return err
	}
	if err := c.launchRest(o); err != nil {
		return err
	}
	return c.awaitUse(ctx, o)
}

func (c *Cluster) launchRest(o Options) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	names := []string{controllerManager, scheduler}
	if !o.WithoutKwok {
		names = append(names, kwok)
	}
	for _, name := range names {
		if err := c.launchLocked(name); err != nil {
			return err
		}
	}
	return nil
}
