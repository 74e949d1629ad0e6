// Command k8guard audits Kubernetes. It turns signals and errors into an exit code.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/term"

	"github.com/k8guard/k8guard/internal/cli"
)

// Set by the linker (-X).
var version, commit, date string

func main() { os.Exit(run()) }

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	root := cli.New(cli.Streams{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Env: os.Environ(),
		Terminal: term.IsTerminal(int(os.Stdout.Fd())),
		Hangup:   hangup,
		Program:  os.Args[0],
		Build:    cli.Build{Version: version, Commit: commit, Date: date},
	})
	err := root.ExecuteContext(ctx)
	if message := cli.Message(err); message != "" {
		fmt.Fprintln(os.Stderr, "k8guard: "+message)
	}
	return cli.Code(err)
}

// hangup begins to take SIGHUP, which would else end the program.
func hangup() <-chan os.Signal {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGHUP)
	return asked
}
