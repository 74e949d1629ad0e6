package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"

	"github.com/k8guard/k8guard/tools/clone"
	"github.com/k8guard/k8guard/tools/services"
)

// Exit codes.
const (
	exitOK         = 0
	exitFailed     = 1
	exitUsage      = 2
	exitNotRunning = 3
)

const usage = `usage: ctl up|down|status|fetch [--dir DIR] [--name NAME] [--nodes 1|2] [--secured] [--only KIND]

  up      start Kafka, Cassandra and Memcached, or say where those that run are
  down    stop them and remove their data
  status  say whether they run; exit code 3 if not all do
  fetch   only fetch the servers, which up does as well; say what is missing here

  --nodes 2  two brokers of Kafka and two nodes of Cassandra
  --secured  TLS and passwords
  --only     kafka, cassandra or memcached alone
`

var errUsage = errors.New("ctl: unknown command")

// command is what was asked for.
type command struct {
	dir     string
	kinds   []services.Kind
	options services.Options
	out     io.Writer
}

// run carries out one command and returns the exit code.
func run(ctx context.Context, args []string, out, problems io.Writer) int {
	if len(args) == 0 {
		fmt.Fprint(problems, usage)
		return exitUsage
	}
	c, err := parse(ctx, args[1:], out, problems)
	if err == nil {
		err = c.do(ctx, args[0])
	}
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errUsage), errors.Is(err, clone.ErrName):
		fmt.Fprintf(problems, "%v\n%s", err, usage)
		return exitUsage
	case errors.Is(err, services.ErrNotRunning):
		return exitNotRunning // status has said which
	}
	fmt.Fprintln(problems, err)
	return exitFailed
}

func parse(ctx context.Context, args []string, out, problems io.Writer) (command, error) {
	c := command{out: out, kinds: services.Kinds()}
	flags := flag.NewFlagSet("ctl", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	dir := flags.String("dir", "", "state folder (default: .state/services/NAME in the clone)")
	name := flags.String("name", "default", "name of the set")
	nodes := flags.Int("nodes", 1, "brokers and nodes")
	secured := flags.Bool("secured", false, "TLS and passwords")
	only := flags.String("only", "", "one kind alone")
	if err := flags.Parse(args); err != nil {
		return c, fmt.Errorf("%w: %w", errUsage, err)
	}
	if flags.NArg() > 0 {
		return c, fmt.Errorf("%w: nothing is known of %q", errUsage, flags.Arg(0))
	}
	if *nodes != 1 && *nodes != 2 {
		return c, fmt.Errorf("%w: --nodes is 1 or 2, not %d", errUsage, *nodes)
	}
	if *only != "" {
		c.kinds = []services.Kind{services.Kind(*only)}
	}
	c.options = services.Options{Nodes: *nodes, Secured: *secured, Detached: true, Progress: problems}
	var err error
	c.dir, err = clone.State(ctx, *dir, "services", *name)
	return c, err
}

func (c command) do(ctx context.Context, name string) error {
	switch name {
	case "up":
		return c.up(ctx)
	case "down":
		return c.down()
	case "status":
		return c.status()
	case "fetch":
		return c.fetch(ctx)
	}
	return errUsage
}
