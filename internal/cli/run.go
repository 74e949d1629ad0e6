package cli

import (
	"context"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/k8guard/k8guard/internal/app"
	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/telemetry"
)

// lookEvery is the time between two looks at the configuration's file.
const lookEvery = 10 * time.Second

func newRun(s Streams) *cobra.Command {
	return target(s, &cobra.Command{
		Use:   "run",
		Short: "Watch a cluster, tell the owners, and act where it is allowed",
		Long: "Watch a cluster, tell the owners, and act where it is allowed: everything in one process.\n" +
			"Safe mode is the default: nothing is acted on until enforce.mode says enforce.\n" +
			"A change of the configuration's file is taken over within half a minute, and on SIGHUP at once; one that is\n" +
			"wrong is logged, and the last good one stays in force.",
		Example: "  k8guard run --config k8guard.yaml\n" +
			"  K8GUARD__CLUSTER__KUBECONFIG=~/.kube/config k8guard run",
	}, app.Run, true)
}

func newDiscover(s Streams) *cobra.Command {
	return target(s, &cobra.Command{
		Use:   "discover",
		Short: "Watch a cluster and serve what is wrong in it, and nothing more",
		Long: "Watch a cluster and serve what is wrong in it at report.listen: /metrics, /healthz, /readyz and the JSON routes.\n" +
			"It keeps no ledger, tells nobody, and writes nothing to the cluster.\n" +
			"With bus.kind: kafka it tells action what it sees; of several replicas for one cluster one leads, by a Lease.",
		Example: "  k8guard discover --config k8guard.yaml",
	}, app.Discover, false)
}

func newReport(s Streams) *cobra.Command {
	return target(s, &cobra.Command{
		Use:   "report",
		Short: "Serve the pages over a ledger that is there, read-only",
		Long: "Serve the pages over the ledger in data.dir, read-only: beside the K8Guard that writes it (choose another\n" +
			"report.listen), or over a copy.\n" +
			"With ledger.kind: cassandra it keeps a copy of its own in data.dir, and takes the commands of people.",
		Example: "  k8guard report --set data.dir=/backup/k8guard --set report.listen=127.0.0.1:8687",
	}, app.Report, false)
}

func newAction(s Streams) *cobra.Command {
	return target(s, &cobra.Command{
		Use:   "action",
		Short: "Tell the owners, and act, on what a discover elsewhere sees",
		Long: "Tell the owners, and act where it is allowed, on what discover sees: over Kafka (bus.kind: kafka) and Cassandra\n" +
			"(ledger.kind: cassandra). Start as many as you like, up to bus.kafka.partitions: they share the work. One answers for\n" +
			"the cluster of cluster.name, or for all of clusters. Commands such as undo and freeze go to k8guard report.",
		Example: "  k8guard action --config k8guard.yaml",
	}, app.Action, false)
}

// target makes the command that runs a target until a signal; reloads says whether it takes
// over a new configuration meanwhile.
func target(s Streams, c *cobra.Command, run func(context.Context, app.Settings) error, reloads bool) *cobra.Command {
	var file string
	c.Args = arguments(cobra.NoArgs)
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		conf, err := loadAndWarn(s, file)
		if err != nil {
			return ExitError{Code: ExitFailure, Err: err}
		}
		var reload *app.Reload
		if reloads {
			if reload, err = reloader(s, file); err != nil {
				return ExitError{Code: ExitFailure, Err: err}
			}
		}
		log := telemetry.NewLogger(s.Err, conf.Log)
		telemetry.TakeKubernetesLogs(log)
		return untilStopped(cmd.Context(), log, func(ctx context.Context) error {
			return run(ctx, app.Settings{Config: conf, Version: s.Build.Version, Commit: s.Build.Commit, Log: log, Now: time.Now, Flags: flagsOf(s, file, app.Socket(conf)), Reload: reload})
		})
	}
	configFlag(c, &file)
	return c
}

// flagsOf are what a command needs to find what runs with this file, from any folder; none where
// every command looks there.
func flagsOf(s Streams, named, socket string) string {
	file, err := configFile(s, named)
	if err != nil || file == "" || file == configHere {
		return ""
	}
	if !filepath.IsAbs(socket) {
		return "--socket " + quoted(full(socket))
	}
	return "--config " + quoted(full(file))
}

// untilStopped runs it, and says when a stop was asked for and when it is done: what is under
// way may take its time.
func untilStopped(ctx context.Context, log *slog.Logger, run func(context.Context) error) error {
	said := make(chan struct{})
	quiet := context.AfterFunc(ctx, func() {
		defer close(said)
		log.Info("K8Guard is stopping", "next", "what is under way is finished first")
	})
	err := run(ctx)
	if quiet() {
		return err // nobody asked: it ended by itself
	}
	<-said
	if err == nil {
		log.Info("K8Guard has stopped")
	}
	return err
}

func reloader(s Streams, named string) (*app.Reload, error) {
	file, err := configFile(s, named)
	if err != nil {
		return nil, err
	}
	r := &app.Reload{File: file, Every: lookEvery, Load: func() (config.Config, error) { return loadConfig(s, file) }}
	if s.Hangup != nil {
		r.Asked = s.Hangup()
	}
	return r, nil
}
