// Command ctl keeps Kafka, Cassandra and Memcached up for development, several sets side by side.
//
// Purpose: real servers to try the distributed K8Guard on, without containers.
//
// Concurrency: sets of different names or folders do not touch one another. Two commands for
// one set at the same time are refused by its folders, not queued.
//
// Guarantees: "up" returns when every server serves, and writes their addresses into the
// set's folder; "down" when no process of it is left.
//
// It will not: listen on any address but loopback, or keep data over "down".
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
