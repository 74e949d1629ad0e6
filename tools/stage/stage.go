// Package stage sets up all that K8Guard plays on: a real control plane with the shipped
// rights and admission policies, a mail server, a configuration with a ladder of seconds,
// and K8Guard itself as a process that can be killed.
//
// Purpose: the demo and the end-to-end tests show and judge the same thing.
//
// Concurrency: a [Stage] may be used from many goroutines; several stages live side by
// side in folders of their own.
//
// Guarantees: New returns when the admission policies hold action's account. Everything
// listens on 127.0.0.1, and is gone when Stop returns nil.
//
// It will not: touch another cluster, judge what K8Guard did, or remove its folder.
package stage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/tools/controlplane"
	"github.com/k8guard/k8guard/tools/mailsink"
)

// The users of the API server that K8Guard is.
const (
	DiscoverUser = "system:serviceaccount:k8guard:k8guard-discover"
	ActionUser   = "system:serviceaccount:k8guard:k8guard-action"
)

// Options of a stage. Only Dir is required.
type Options struct {
	// Dir is a folder of this stage alone, absent or empty.
	Dir string
	// Repo is the repository's root; empty means the one around the working folder.
	Repo string
	// Enforce names the namespaces in which K8Guard may act.
	Enforce []string
	// Cluster is passed on, but for its Dir and Progress.
	Cluster controlplane.Options
	// SMTPAddr and MailAddr are the mail server's and its page's; empty means a free port.
	SMTPAddr, MailAddr string
	// Listen is the report's; empty means a free port.
	Listen string
	// Change may alter the configuration before it is written.
	Change func(*config.Config)
	// Progress is told, in lines for people, what is done; nil means nobody.
	Progress io.Writer
}

// Stage is set up.
type Stage struct {
	Cluster *controlplane.Cluster
	Mail    *mailsink.Sink
	Config  config.Config // as written to ConfigFile

	dir, repo string
	accounts  string // the folder of the accounts' kubeconfigs
	guest     bool   // the cluster is another stage's
	progress  io.Writer

	mu      sync.Mutex // guards those below
	binary  string
	running []*Process
}

// New sets a stage up. What it began is gone when it returns an error.
func New(ctx context.Context, o Options) (*Stage, error) {
	s := &Stage{progress: o.Progress}
	if s.progress == nil {
		s.progress = io.Discard
	}
	if err := s.begin(ctx, o); err != nil {
		return nil, errors.Join(fmt.Errorf("set the stage up: %w", err), s.Stop())
	}
	return s, nil
}

func (s *Stage) begin(ctx context.Context, o Options) (err error) {
	if o.Dir == "" {
		return errors.New("stage: Options.Dir is empty, name a folder")
	}
	if s.dir, err = filepath.Abs(o.Dir); err != nil {
		return err
	}
	if s.repo, err = repository(o.Repo); err != nil {
		return err
	}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return err
	}
	s.accounts = s.dir
	from := time.Now()
	cluster := o.Cluster
	cluster.Dir, cluster.Progress = filepath.Join(s.dir, "cluster"), s.progress
	if s.Cluster, err = controlplane.Start(ctx, cluster); err != nil {
		return err
	}
	s.say("a Kubernetes of our own runs, with %d node(s), at %s (%s)", max(cluster.Nodes, 1), s.Cluster.URL(), since(from))
	if err := s.prepare(ctx); err != nil {
		return err
	}
	return s.equip(o)
}

// Stop ends K8Guard, the mail server and the control plane (a guest's is not its own). Stopping again does nothing.
func (s *Stage) Stop() error {
	var errs []error
	s.mu.Lock()
	running := s.running
	s.mu.Unlock()
	for _, p := range running {
		p.Kill9()
	}
	if s.Mail != nil {
		errs = append(errs, s.Mail.Close())
	}
	if s.Cluster != nil && !s.guest {
		errs = append(errs, s.Cluster.Stop())
	}
	return errors.Join(errs...)
}

func (s *Stage) say(format string, args ...any) {
	_, _ = fmt.Fprintf(s.progress, "  "+format+"\n", args...)
}

func since(from time.Time) time.Duration { return time.Since(from).Round(100 * time.Millisecond) }

// repository finds the root of this module.
func repository(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, "cmd", "k8guard")); err == nil {
			return at, nil
		}
		if at == filepath.Dir(at) {
			return "", fmt.Errorf("stage: no repository of K8Guard around %s, set Options.Repo", dir)
		}
	}
}
