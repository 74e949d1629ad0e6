package cli

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/k8guard/k8guard/internal/app"
	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/scan"
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
	to, err := r.find(s)
	if err == nil {
		to.how = r.how(to.socket)
	}
	return to, err
}

// how are the flags by which a command that we print finds the same K8Guard from any folder.
// What lies where every command looks needs none.
func (r *reach) how(socket string) string {
	switch {
	case r.socket != "", r.config != "" && !filepath.IsAbs(socket): // a path in a file is relative to the folder of who reads it
		return " --socket " + quoted(full(socket))
	case r.config != "":
		return " --config " + quoted(full(r.config))
	}
	return ""
}

// quoted is a word for a shell.
func quoted(path string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-+:@%=,", r)
	}
	if strings.IndexFunc(path, func(r rune) bool { return !plain(r) }) < 0 {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}

func (r *reach) find(s Streams) (*client, error) {
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
		_, _ = fmt.Fprintf(s.Err, "warning: the configuration %s has mistakes (k8guard config check lists them); asking at %q all the same, %s; if that is another K8Guard, name the socket with --socket\n",
			scan.Visible(file), full(socket), taken(conf))
	}
	return newClient(socket), nil
}

// taken says by which key of a broken configuration the socket was found, or that it was by none.
func taken(c config.Config) string {
	switch {
	case c.Report.Socket != "":
		return "which is its report.socket"
	case c.Data.Dir != config.Default().Data.Dir:
		return fmt.Sprintf("by its data.dir, %q", c.Data.Dir)
	}
	return fmt.Sprintf("by the default data.dir, %q: no other data.dir and no report.socket can be read in it", c.Data.Dir)
}

// full is a path for people, who may think of another folder.
func full(path string) string {
	if whole, err := filepath.Abs(path); err == nil {
		return whole
	}
	return path
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
