package faults

import (
	"encoding/pem"
	"sync/atomic"
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/config"
)

// clock: between two warnings the API server's clock and ours part by ten minutes. The
// breaker opens, and stays open when they agree again, until a person closes it.
func clock(t *testing.T, p plane) {
	var off atomic.Int64
	s := shifted(t, p, func() time.Duration { return time.Duration(off.Load()) })
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	h := newHouse(t, p, "clock", nil)
	h.rewrite(func(c *config.Config) {
		c.Cluster.ActionKubeconfig = h.through(p.Kubeconfig("k8guard-action"), s.URL, ca)
	})
	h.start()
	off.Store(int64(10*time.Minute + 500*time.Millisecond))
	h.apply(privileged(h.ns, "web"))
	plan := h.planned(30*time.Second, "web", "breaker")
	h.wantActs()
	h.golden("clock", "plan: "+plan)
	off.Store(0)
	time.Sleep(3 * time.Second)
	h.wantActs()
	if out, err := h.Command(t.Context(), "breaker", "close", "--reason", "the clocks agree"); err != nil {
		t.Fatal(out, err)
	}
	h.acted(30*time.Second, acted)
}
