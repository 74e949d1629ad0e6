package main

import (
	"context"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/test/judge"
	"github.com/k8guard/k8guard/tools/stage"
)

// single is K8Guard as one process over one cluster.
type single struct{ *demo }

func (h *single) setUp(ctx context.Context, dir string, rules config.Rules) (err error) {
	h.say("1. A Kubernetes of our own (your KUBECONFIG is not used)")
	h.stage, err = h.newStage(ctx, dir, "demo", func(c *config.Config) {
		overrides(c, rules)
		c.Cluster.Name = "demo"
	})
	return err
}

func (h *single) start(ctx context.Context) error {
	p, err := h.stage.Run(ctx)
	if err != nil {
		return err
	}
	h.running = []*stage.Process{p}
	return h.stage.WaitReady(ctx, p)
}

func (h *single) dump(ctx context.Context) (judge.Dump, error) {
	return judge.ReadLedger(ctx, h.stage.LedgerFile())
}

func (h *single) takeDown() error { return h.stopSites() }
