package cli

import (
	"cmp"
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

type versionInfo struct {
	Version string `json:"version"`
	Commit  string `json:"commit"`
	Date    string `json:"date"`
	Go      string `json:"go"`
}

func newVersion(s Streams) *cobra.Command {
	var output string
	c := &cobra.Command{
		Use: "version", Short: "Print the version", Example: "  k8guard version -o json",
		Args: arguments(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error { return printVersion(s, output) },
	}
	c.Flags().StringVarP(&output, "output", "o", "text", "text or json")
	complete(c, "output", "text", "json")
	return c
}

func printVersion(s Streams, output string) error {
	info := buildInfo(s.Build)
	switch output {
	case "json":
		return json.NewEncoder(s.Out).Encode(info)
	case "text":
		_, err := fmt.Fprintf(s.Out, "k8guard %s (commit %s, %s, %s)\n", info.Version, info.Commit, info.Date, info.Go)
		return err
	}
	return failure("no output format is called %q: use -o text or -o json", output)
}

func buildInfo(b Build) versionInfo {
	info := versionInfo{Version: b.Version, Commit: b.Commit, Date: b.Date, Go: runtime.Version()}
	if built, ok := debug.ReadBuildInfo(); ok {
		info.Version = cmp.Or(info.Version, built.Main.Version)
		for _, setting := range built.Settings {
			switch setting.Key {
			case "vcs.revision":
				info.Commit = cmp.Or(info.Commit, setting.Value)
			case "vcs.time":
				info.Date = cmp.Or(info.Date, setting.Value)
			}
		}
	}
	info.Version, info.Commit, info.Date = cmp.Or(info.Version, "unknown"), cmp.Or(info.Commit, "unknown"), cmp.Or(info.Date, "unknown")
	return info
}
