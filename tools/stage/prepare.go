package stage

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const namespace = "k8guard"

// probe is an ingress that action's account may create by its role, and may not by the
// last of the admission policies.
const probe = `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: probe, namespace: default}
spec:
  defaultBackend: {service: {name: probe, port: {number: 80}}}
`

// denied is what the policy says of the probe.
const denied = "creates only ingresses that it marks"

// prepare applies what K8Guard ships, and makes its two accounts.
func (s *Stage) prepare(ctx context.Context) error {
	from := time.Now()
	for _, name := range []string{"rbac-discover", "rbac-action", "admission", "permit"} {
		if err := s.Cluster.Apply(ctx, filepath.Join(s.repo, "deploy", name+".yaml")); err != nil {
			return err
		}
	}
	// It ships disabled: here, the people who write it are us.
	if _, err := s.Cluster.Kubectl(ctx, "-n", namespace, "patch", "configmap", "k8guard-permit", "--type=merge",
		"-p", `{"data":{"enforcement":"enabled"}}`); err != nil {
		return err
	}
	for _, name := range []string{"k8guard-discover", "k8guard-action"} {
		if err := s.Cluster.AccountKubeconfig(ctx, namespace, name, s.kubeconfig(name)); err != nil {
			return err
		}
	}
	if err := s.awaitAdmission(ctx); err != nil {
		return err
	}
	s.say("K8Guard's two accounts, their rights and the admission policies are in force (%s)", since(from))
	return nil
}

func (s *Stage) kubeconfig(account string) string {
	return filepath.Join(s.accounts, account+".kubeconfig")
}

// awaitAdmission waits until the policies hold action's account. A policy takes effect
// some time after it was made; the one that is asked about was made last.
func (s *Stage) awaitAdmission(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	file := filepath.Join(s.dir, "probe.yaml")
	if err := os.WriteFile(file, []byte(probe), 0o600); err != nil {
		return err
	}
	for {
		_, err := s.Cluster.Kubectl(ctx, "--kubeconfig="+s.kubeconfig("k8guard-action"), "create", "--dry-run=server", "-f", file)
		if err != nil && strings.Contains(err.Error(), denied) {
			return nil
		}
		if err == nil {
			err = errors.New("the API server took the probe")
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the admission policies did not take effect within two minutes: %w", err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}
