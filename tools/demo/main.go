// Command demo plays K8Guard's whole story on a real control plane: it finds what is bad,
// warns the owners by mail, acts, and takes it back. With -once it plays by itself and ends
// with a verdict. With -distributed it does so on two clusters, as services on Kafka,
// Cassandra and Memcached; where one of them cannot start it says what is missing, and ends
// with 3.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/tools/controlplane"
	"github.com/k8guard/k8guard/tools/services"
	"github.com/k8guard/k8guard/tools/stage"
)

// exitMissing says that a program is not here which the demo needs.
const exitMissing = 3

func main() { os.Exit(run()) }

func run() int {
	once := flag.Bool("once", false, "play the whole story alone, compare it with examples/demo-expect.yaml, and end")
	keep := flag.Bool("keep", false, "leave the folder with ledger, mails and audit log")
	distributed := flag.Bool("distributed", false, "two clusters, and K8Guard as services on Kafka, Cassandra and Memcached")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	d := &demo{out: os.Stdout, once: *once, from: time.Now(), known: map[string]string{}, shown: map[string]before{}}
	d.home = &single{d}
	if *distributed {
		d.home = &distribution{demo: d}
	}
	err := d.play(ctx, *keep)
	if ctx.Err() != nil {
		d.say("Stopped; nothing is left behind.")
		return 0
	}
	if missing := (*services.MissingError)(nil); errors.As(err, &missing) {
		fmt.Fprintln(os.Stderr, "demo: LEFT OUT:", missing)
		return exitMissing
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		return 1
	}
	return 0
}

// play sets the stage, tells the story, and takes everything down again.
func (d *demo) play(ctx context.Context, keep bool) (err error) {
	expect, err := readExpect("examples/demo-expect.yaml")
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "k8guard-demo-")
	if err != nil {
		return err
	}
	defer func() {
		if keep {
			d.say("kept: %s", dir)
		} else {
			_ = os.RemoveAll(dir)
		}
	}()
	rules, err := readRules("examples/demo.yaml")
	if err != nil {
		return err
	}
	if _, err := controlplane.Assets(ctx, d.out); err != nil {
		return err
	}
	defer func() {
		if downErr := d.home.takeDown(); err == nil {
			err = downErr
		}
	}()
	if err := d.home.setUp(ctx, dir, rules); err != nil {
		return err
	}
	return d.tell(ctx, expect.in(d.names()))
}

// newStage sets one cluster up with its mail server.
func (d *demo) newStage(ctx context.Context, dir, name string, change func(*config.Config)) (*stage.Stage, error) {
	s, err := stage.New(ctx, stage.Options{Dir: filepath.Join(dir, name), Repo: ".", Enforce: []string{"shop", "payments"},
		Cluster: controlplane.Options{Nodes: 2, Images: images()}, Change: change, Progress: d.out})
	if err != nil {
		return nil, err
	}
	d.sites = append(d.sites, site{name, s})
	return s, useProduct(s)
}

func useProduct(s *stage.Stage) error {
	product, err := filepath.Abs("bin/k8guard")
	if err != nil {
		return err
	}
	s.UseProduct(product)
	return nil
}

// overrides make hours into seconds, for this demo only; they are printed.
func overrides(c *config.Config, rules config.Rules) {
	c.Discover.IgnoreNamespaces = []string{"kube-system", "kube-public", "kube-node-lease", "default", "k8guard"}
	c.Rules = rules
	c.Owners.Fallback = []string{"platform@demo.example"}
	c.Notify.Gather, c.Notify.Gap = 3*time.Second, time.Second
	c.Notify.Email.From, c.Notify.Email.Domains = "k8guard@demo.example", []string{"demo.example"}
	for i := range c.Policies {
		c.Policies[i].Ladder = config.Ladder{Standing: 2 * time.Second, Warnings: 3, Wait: 5 * time.Second, LastWait: 5 * time.Second}
	}
	c.Enforce.MinimumAge, c.Enforce.CoolOff = 10*time.Second, time.Hour
	c.Enforce.Budget = config.Budget{Round: 2 * time.Second, PerHour: 10, PerDay: 10, PerNamespace: 5, PerOwner: 5, PerRule: 5, Percent: 50, Floor: 5}
	c.Enforce.Breaker.UndosPerHour = 5
}
