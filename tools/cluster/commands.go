package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"

	"github.com/k8guard/k8guard/tools/clone"
	"github.com/k8guard/k8guard/tools/controlplane"
)

// Exit codes.
const (
	exitOK         = 0
	exitFailed     = 1
	exitUsage      = 2
	exitNotRunning = 3
)

const usage = `usage: cluster up|down|status|build [--dir DIR] [--name NAME] [--nodes N]

  up      start a control plane, or say where the one that runs is
  down    stop it and remove its state
  status  say whether it runs; exit code 3 if not
  build   only build the programs, which up does as well if they are missing
`

// command is what was asked for.
type command struct {
	dir    string
	nodes  int
	out    io.Writer
	errors io.Writer
}

// run carries out one command and returns the exit code.
func run(ctx context.Context, args []string, out, problems io.Writer) int {
	if len(args) == 0 {
		fmt.Fprint(problems, usage)
		return exitUsage
	}
	flags := flag.NewFlagSet("cluster", flag.ContinueOnError)
	flags.SetOutput(problems)
	flags.Usage = func() { fmt.Fprint(problems, usage) }
	dir := flags.String("dir", "", "state folder (default: .state/clusters/NAME in the clone)")
	name := flags.String("name", "default", "name of the cluster")
	nodes := flags.Int("nodes", 1, "fake nodes")
	if err := flags.Parse(args[1:]); err != nil || flags.NArg() > 0 {
		fmt.Fprint(problems, usage)
		return exitUsage
	}
	folder, err := clone.State(ctx, *dir, "clusters", *name)
	if err != nil {
		fmt.Fprintln(problems, err)
		return exitUsage
	}
	c := command{dir: folder, nodes: *nodes, out: out, errors: problems}
	err = c.do(ctx, args[0])
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, controlplane.ErrNotRunning):
		fmt.Fprintln(out, err)
		return exitNotRunning
	case errors.Is(err, errUsage):
		fmt.Fprint(problems, usage)
		return exitUsage
	}
	fmt.Fprintln(problems, err)
	return exitFailed
}

var errUsage = errors.New("cluster: unknown command")

func (c command) do(ctx context.Context, name string) error {
	switch name {
	case "up":
		return c.up(ctx)
	case "down":
		return c.down()
	case "status":
		return c.status()
	case "build":
		dir, err := controlplane.Assets(ctx, c.errors)
		if err == nil {
			fmt.Fprintf(c.out, "programs: %s\n", dir)
		}
		return err
	}
	return errUsage
}
