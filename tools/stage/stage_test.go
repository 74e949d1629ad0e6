package stage_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/tools/stage"
)

const shop = `apiVersion: v1
kind: Namespace
metadata: {name: shop, annotations: {team/email-ids: shop@stage.example}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: catch-all, namespace: shop}
spec:
  defaultBackend: {service: {name: x, port: {number: 80}}}
`

func TestStage(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a control plane: left out under -short")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	s, err := stage.New(ctx, stage.Options{Dir: t.TempDir(), Progress: os.Stderr, Enforce: []string{"shop"},
		Change: func(c *config.Config) { c.Cluster.Name = "mine" }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	if s.Config.Cluster.Name != "mine" {
		t.Errorf("the change is lost: %q", s.Config.Cluster.Name)
	}
	if _, err := s.Run(ctx); err == nil || !strings.Contains(err.Error(), "BuildProduct") {
		t.Errorf("run without a program: %v", err)
	}
	if _, err := s.BuildProduct(ctx); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "shop.yaml")
	if err := os.WriteFile(file, []byte(shop), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Cluster.Apply(ctx, file); err != nil {
		t.Fatal(err)
	}
	playsAndEnds(ctx, t, s)
}

func playsAndEnds(ctx context.Context, t *testing.T, s *stage.Stage) {
	t.Helper()
	p, err := s.Run(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.WaitReady(ctx, p); err != nil {
		t.Fatal(err)
	}
	for len(s.Mail.Messages()) == 0 {
		select {
		case <-ctx.Done():
			t.Fatalf("no mail came: %s", p.LogTail())
		case <-time.After(100 * time.Millisecond):
		}
	}
	cases, err := s.Cases(ctx)
	if err != nil || len(cases) == 0 {
		t.Errorf("cases: %v, %v", cases, err)
	}
	if out, err := s.Command(ctx, "freeze", "--reason", "a test"); err != nil {
		t.Errorf("freeze: %s, %v", out, err)
	}
	if err := p.Terminate(20 * time.Second); err != nil {
		t.Errorf("a graceful end: %v", err)
	}
	p, err = s.Run(ctx)
	if err != nil {
		t.Fatal(err)
	}
	p.Kill9()
	if !p.Killed() {
		t.Error("it was not killed")
	}
	if err := s.WaitReady(ctx, p); err == nil {
		t.Error("a dead process is ready")
	}
}
