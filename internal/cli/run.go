package cli

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/k8guard/k8guard/internal/app"
	"github.com/k8guard/k8guard/internal/telemetry"
)

func newRun(s Streams) *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:   "run",
		Short: "Watch a cluster, tell the owners, and act where it is allowed",
		Long: "Watch a cluster, tell the owners, and act where it is allowed: everything in one process.\n" +
			"Safe mode is the default: nothing is acted on until enforce.mode says enforce.",
		Example: "  k8guard run --config k8guard.yaml\n" +
			"  K8GUARD__CLUSTER__KUBECONFIG=~/.kube/config k8guard run",
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			conf, err := loadConfig(s, file)
			if err != nil {
				return ExitError{Code: ExitFailure, Err: err}
			}
			log := telemetry.NewLogger(s.Err, conf.Log)
			telemetry.TakeKubernetesLogs(log)
			return app.Run(cmd.Context(), app.Settings{Config: conf, Version: s.Build.Version, Commit: s.Build.Commit,
				Log: log, Now: time.Now})
		},
	}
	c.Flags().StringVarP(&file, "config", "c", "", "configuration file (default: $K8GUARD_CONFIG, else ./k8guard.yaml)")
	return c
}
