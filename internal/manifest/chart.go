package manifest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"
)

// Chart is a Helm chart, and how to render it.
type Chart struct {
	Path   string
	Values []string // files
	Set    []string // key=value, as helm takes them
	// Namespace is the release's; empty means "default".
	Namespace string
	// Limit bounds how long helm may take.
	Limit time.Duration
}

// maxRendered bounds what helm may print, in bytes.
const maxRendered = 64 << 20

// Helm reads what the user's own "helm template" makes of a chart; its stderr goes to said.
// The engine is not linked in: it would add half of the binary again.
func Helm(ctx context.Context, c Chart, said io.Writer) (Set, error) {
	set := Set{Skipped: map[string]int{}}
	program, err := exec.LookPath("helm")
	if err != nil {
		return set, fmt.Errorf("rendering the chart %s: %w; install helm, or pipe what it makes: helm template DIR | k8guard scan -", c.Path, err)
	}
	ctx, cancel := context.WithTimeout(ctx, c.Limit)
	defer cancel()
	out := &bounded{left: maxRendered}
	run := exec.CommandContext(ctx, program, c.arguments()...) //nolint:gosec // the user's own helm, without a shell
	run.Stdout, run.Stderr, run.WaitDelay = out, said, time.Second
	switch err = run.Run(); {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return set, fmt.Errorf("helm template %s: it took longer than %s; allow more with --chart-timeout", c.Path, c.Limit)
	case out.left < 0:
		return set, fmt.Errorf("helm template %s: it printed more than %d MB", c.Path, maxRendered>>20)
	case err != nil:
		return set, fmt.Errorf("helm template %s: %w; what it says is above", c.Path, err)
	}
	return set, newDecoder().read(&set, "(helm template "+c.Path+")", &out.text)
}

// arguments put the path last, behind "--": a name that begins with a dash is no flag.
func (c Chart) arguments() []string {
	args := []string{"template", "--include-crds"}
	if c.Namespace != "" {
		args = append(args, "--namespace="+c.Namespace)
	}
	for _, file := range c.Values {
		args = append(args, "--values="+file)
	}
	for _, pair := range c.Set {
		args = append(args, "--set="+pair)
	}
	return append(args, "--", "k8guard-scan", strings.TrimSpace(c.Path))
}

// bounded keeps what is written, up to a limit.
type bounded struct {
	text bytes.Buffer
	left int
}

// Write implements io.Writer.
func (b *bounded) Write(p []byte) (int, error) {
	if b.left -= len(p); b.left < 0 {
		return 0, errors.New("too much output")
	}
	return b.text.Write(p)
}
