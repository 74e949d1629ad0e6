package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/k8guard/k8guard/tools/controlplane"
)

func (c command) up(ctx context.Context) error {
	found, err := controlplane.Attach(c.dir)
	if err == nil {
		fmt.Fprintln(c.out, "already up")
		c.describe(found)
		return nil
	}
	if !errors.Is(err, controlplane.ErrNotRunning) {
		return err
	}
	if found != nil { // what a crash or a reboot left behind
		if err := found.Remove(); err != nil {
			return err
		}
	}
	started, err := controlplane.Start(ctx, controlplane.Options{
		Dir: c.dir, Nodes: nodesOption(c.nodes), Detached: true, Progress: c.errors,
	})
	if err != nil {
		return err
	}
	fmt.Fprintln(c.out, "up")
	c.describe(started)
	return nil
}

// nodesOption turns the flag's 0, no nodes, into the option's.
func nodesOption(nodes int) int {
	if nodes == 0 {
		return -1
	}
	return nodes
}

func (c command) down() error {
	found, err := controlplane.Attach(c.dir)
	if found == nil {
		if errors.Is(err, controlplane.ErrNotRunning) {
			fmt.Fprintln(c.out, "already down")
			return nil
		}
		return err
	}
	if err := found.Remove(); err != nil {
		return err
	}
	fmt.Fprintln(c.out, "down")
	return nil
}

func (c command) status() error {
	found, err := controlplane.Attach(c.dir)
	if err != nil {
		return err
	}
	fmt.Fprintln(c.out, "running")
	c.describe(found)
	return nil
}

func (c command) describe(found *controlplane.Cluster) {
	fmt.Fprintf(c.out, "url:        %s\n", found.URL())
	fmt.Fprintf(c.out, "kubeconfig: %s\n", found.Kubeconfig())
	fmt.Fprintf(c.out, "kubectl:    %s\n", found.KubectlPath())
	fmt.Fprintf(c.out, "audit log:  %s\n", found.AuditLog())
	fmt.Fprintf(c.out, "export KUBECONFIG='%s'\n", found.Kubeconfig())
}
