package stage

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// BuildProduct builds K8Guard from the repository with these build tags ("faults": with
// its named crash points), returns its path, and lets Run and Command use it.
func (s *Stage) BuildProduct(ctx context.Context, tags ...string) (string, error) {
	from := time.Now()
	path := filepath.Join(s.dir, strings.Join(append([]string{"k8guard"}, tags...), "-"))
	cmd := exec.CommandContext(ctx, "go", "build", "-tags", strings.Join(append(tags, "grpcnotrace,kustomize_disable_go_plugin_support"), ","), "-o", path, "./cmd/k8guard")
	cmd.Dir, cmd.Env = s.repo, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build K8Guard: %w: %s", err, out)
	}
	s.UseProduct(path)
	s.say("K8Guard is built (%s)", since(from))
	return path, nil
}

// UseProduct lets Run and Command use a program that is built already.
func (s *Stage) UseProduct(path string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.binary = path
}

// Command runs one K8Guard command to its end, with this stage's configuration, and
// returns what it printed. The error carries what it complained of.
func (s *Stage) Command(ctx context.Context, args ...string) (string, error) {
	binary, err := s.product()
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, binary, append(args, "--config", s.ConfigFile())...)
	var out, problem strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &problem
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("k8guard %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(problem.String()))
	}
	return out.String(), nil
}

func (s *Stage) product() (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.binary == "" {
		return "", errors.New("stage: no program to run, call BuildProduct or UseProduct first")
	}
	return s.binary, nil
}
