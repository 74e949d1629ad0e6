package controlplane

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	estimate  = "about 8 minutes on 2 cores and 700 MB of disk, once; the programs are kept in"
	tellEvery = 5 * time.Second
)

// builder makes the folder of programs from the pinned modules.
type builder struct {
	modules, dir string
	pinned       versions
	progress     io.Writer
}

// run builds into a folder beside and renames it, so that the folder is whole or not there.
// Of two builders the second waits, and finds the work done.
func (b builder) run(ctx context.Context) error {
	parent := filepath.Dir(b.dir)
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return fmt.Errorf("make the cache folder: %w", err)
	}
	unlock, err := b.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if len(missingPrograms(b.dir)) == 0 {
		return nil
	}
	fmt.Fprintf(b.progress, "building the control plane's programs: %s %s\n", estimate, b.dir)
	temporary, err := os.MkdirTemp(parent, ".building-")
	if err != nil {
		return fmt.Errorf("make a folder to build in: %w", err)
	}
	defer func() { _ = os.RemoveAll(temporary) }()
	for _, step := range []struct{ module, output string }{
		{"etcd", filepath.Join(temporary, etcd)}, // its package is called server
		{"kubernetes", temporary + string(filepath.Separator)},
		{"kwok", temporary + string(filepath.Separator)},
	} {
		if err := b.build(ctx, step.module, step.output); err != nil {
			return err
		}
	}
	if missing := missingPrograms(temporary); len(missing) > 0 {
		return fmt.Errorf("controlplane: the build left out %s, see the tool lines of the modules in %s", strings.Join(missing, ", "), b.modules)
	}
	if err := os.RemoveAll(b.dir); err != nil { // an incomplete one
		return fmt.Errorf("replace the programs: %w", err)
	}
	if err := os.Chmod(temporary, 0o755); err != nil {
		return fmt.Errorf("open the programs to others: %w", err)
	}
	if err := os.Rename(temporary, b.dir); err != nil {
		return fmt.Errorf("put the programs in place: %w", err)
	}
	return nil
}

func (b builder) build(ctx context.Context, module, output string) error {
	flags := "-s -w -X k8s.io/component-base/version.gitVersion=" + b.pinned.kubernetes
	cmd := exec.CommandContext(ctx, "go", "build", "-o", output, "-ldflags", flags, "tool")
	cmd.Dir = filepath.Join(b.modules, module)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off", "GOFLAGS=", "GOOS=", "GOARCH=")
	return b.tell("building "+module, func() error {
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("build %s in %s: %w\n%s", module, cmd.Dir, err, out)
		}
		return nil
	})
}

// tell says what is being done and for how long, until it is done.
func (b builder) tell(what string, do func() error) error {
	start := time.Now()
	done := make(chan error, 1)
	go func() { done <- do() }()
	for {
		select {
		case err := <-done:
			fmt.Fprintf(b.progress, "%s: done after %d s\n", what, int(time.Since(start).Seconds()))
			return err
		case <-time.After(tellEvery):
			fmt.Fprintf(b.progress, "%s: %d s\n", what, int(time.Since(start).Seconds()))
		}
	}
}

// lock waits for the lock file, which a builder that dies gives up by dying.
func (b builder) lock(ctx context.Context) (unlock func(), err error) {
	file, err := os.OpenFile(b.dir+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the builders' lock: %w", err)
	}
	for told := false; ; told = true {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { _ = file.Close() }, nil
		}
		if !told {
			fmt.Fprintf(b.progress, "waiting for another builder, which holds %s\n", file.Name())
		}
		select {
		case <-ctx.Done():
			_ = file.Close()
			return nil, fmt.Errorf("wait for the builders' lock %s: %w", file.Name(), ctx.Err())
		case <-time.After(time.Second):
		}
	}
}
