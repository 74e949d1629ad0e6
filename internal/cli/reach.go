package cli

import (
	"fmt"
	"net/http"

	"github.com/spf13/cobra"

	"github.com/k8guard/k8guard/internal/app"
	"github.com/k8guard/k8guard/internal/config"
)

// reach is how the commands that ask a running K8Guard find it. A configuration that is wrong
// keeps none of them from it: a freeze must not wait until a file is mended.
type reach struct{ config, socket string }

func (r *reach) flags(c *cobra.Command) {
	c.Flags().StringVarP(&r.config, "config", "c", "", "configuration file of the running K8Guard; only data.dir and report.socket count")
	c.Flags().StringVar(&r.socket, "socket", "", "socket of the running K8Guard, instead of what the configuration says; its log names it at the start")
}

// client is for the socket that was named, else for the one that the configuration names.
func (r *reach) client(s Streams) (*client, error) {
	if r.socket != "" {
		return newClient(r.socket), nil
	}
	file, err := configFile(s, r.config)
	if err != nil {
		return nil, ExitError{Code: ExitFailure, Err: err}
	}
	source := config.Source{File: file, Env: s.Env}
	if s.set != nil {
		source.Set = *s.set
	}
	conf, wrong, err := config.LoadPlaces(source)
	if err != nil {
		return nil, ExitError{Code: ExitFailure, Err: err}
	}
	socket := app.Socket(conf)
	if wrong != nil {
		_, _ = fmt.Fprintf(s.Err, "warning: the configuration has mistakes (k8guard config check); asking at %q all the same\n", socket)
	}
	return newClient(socket), nil
}

// ask gets one answer from the running K8Guard.
func (r *reach) ask(c *cobra.Command, s Streams, path string, into any) error {
	from, err := r.client(s)
	if err == nil {
		err = from.call(c.Context(), http.MethodGet, path, nil, into)
	}
	if err != nil {
		return ExitError{Code: ExitFailure, Err: err}
	}
	return nil
}
