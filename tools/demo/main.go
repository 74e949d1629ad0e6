// Command demo plays K8Guard's whole story on a real control plane: it finds what is bad,
// warns the owners by mail, acts, and takes it back. With -once it plays by itself and ends
// with a verdict.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/tools/controlplane"
	"github.com/k8guard/k8guard/tools/stage"
)

func main() { os.Exit(run()) }

func run() int {
	once := flag.Bool("once", false, "play the whole story alone, compare it with examples/demo-expect.yaml, and end")
	keep := flag.Bool("keep", false, "leave the folder with ledger, mails and audit log")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	d := &demo{out: os.Stdout, once: *once, from: time.Now()}
	err := d.play(ctx, *keep)
	if ctx.Err() != nil {
		d.say("Stopped; nothing is left behind.")
		return 0
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
	d.say("1. A Kubernetes of our own (your KUBECONFIG is not used)")
	if _, err := controlplane.Assets(ctx, d.out); err != nil {
		return err
	}
	d.stage, err = stage.New(ctx, stage.Options{Dir: filepath.Join(dir, "stage"), Repo: ".", Enforce: []string{"shop", "payments"},
		Cluster: controlplane.Options{Nodes: 2, Images: images()}, Change: func(c *config.Config) { overrides(c, rules) }, Progress: d.out})
	if err != nil {
		return err
	}
	defer func() {
		if stopErr := d.stage.Stop(); err == nil {
			err = stopErr
		}
	}()
	if product, err := filepath.Abs("bin/k8guard"); err == nil {
		d.stage.UseProduct(product)
	}
	return d.tell(ctx, expect)
}

// overrides make hours into seconds, for this demo only; they are printed.
func overrides(c *config.Config, rules config.Rules) {
	c.Cluster.Name = "demo"
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
