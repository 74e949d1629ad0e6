// Command cluster keeps development control planes up, several side by side.
//
// Purpose: a Kubernetes API to try K8Guard on, without containers and without downloads of
// programs.
//
// Concurrency: clusters of different names or folders do not touch one another. Two commands
// for one cluster at the same time are refused by its folder, not queued.
//
// Guarantees: "up" returns when the cluster is of use; "down" when no process of it is left.
//
// It will not: run containers, listen on any address but 127.0.0.1, or keep a cluster's data
// over "down".
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}
