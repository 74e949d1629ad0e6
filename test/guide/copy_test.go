package guide

import (
	"bytes"
	"context"
	"errors"
	"go/format"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// followed is set for the commands of a guide: the copy has this test too.
const followed = "THE_GUIDE_IS_FOLLOWED"

// tree is a copy of the repository, as somebody who cloned it has it.
type tree struct {
	t   *testing.T
	dir string
}

// newTree copies what git has, or would take: no build, and no configuration of the user's own.
func newTree(t *testing.T) tree {
	t.Helper()
	root, to := filepath.Join("..", ".."), t.TempDir()
	if _, err := os.Stat(filepath.Join(root, ".git")); errors.Is(err, fs.ErrNotExist) {
		t.Skip("no clone of the repository, so nothing says which files are its own")
	}
	list := exec.CommandContext(t.Context(), "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	list.Dir, list.Stderr = root, os.Stderr
	names, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	for name := range strings.SplitSeq(strings.TrimSuffix(string(names), "\x00"), "\x00") {
		if err := clone(filepath.Join(root, name), filepath.Join(to, name)); err != nil && !errors.Is(err, fs.ErrNotExist) { // deleted, and not yet for git
			t.Fatal(err)
		}
	}
	return tree{t, to}
}

func clone(from, to string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o750); err != nil {
		return err
	}
	return os.WriteFile(to, text, 0o600)
}

// follow does what the guide says, in its order: first every file and line, then every command.
func (w tree) follow(g guide) {
	w.t.Helper()
	for _, s := range g.steps {
		w.write(s)
	}
	for _, c := range g.commands {
		start := time.Now()
		out, err := w.run(c)
		w.t.Logf("%s: %.0f s", c, time.Since(start).Seconds())
		if err != nil {
			w.t.Fatalf("%s: %v\n%s", c, err, out)
		}
	}
}

func (w tree) write(s step) {
	w.t.Helper()
	path, text := filepath.Join(w.dir, s.path), s.text
	if old, err := os.ReadFile(path); s.anchor != "" {
		if err != nil {
			w.t.Fatal(err)
		}
		if text, err = s.into(string(old)); err != nil {
			w.t.Fatal(err)
		}
	} else if err == nil {
		w.t.Fatalf("%s is there already: the guide would write over it", s.path)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		w.t.Fatal(err)
	}
	if strings.HasSuffix(path, ".go") {
		if neat, err := format.Source([]byte(text)); err != nil || !bytes.Equal(neat, []byte(text)) {
			w.t.Errorf("%s is not as gofmt has it (%v)", s.path, err)
		}
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// run runs a line in the copy as a shell would, and returns all that it said.
func (w tree) run(line string) (string, error) {
	ctx, cancel := context.WithTimeout(w.t.Context(), 15*time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, "sh", "-c", line)
	c.Dir, c.Env = w.dir, w.env()
	out, err := c.CombinedOutput()
	return string(out), err
}

// env is this one's without what a test or a make around it has set. Cgo is off as it is in the
// Makefile: what that compiled of the libraries is used again.
func (w tree) env() (all []string) {
	for _, one := range os.Environ() {
		if !strings.HasPrefix(one, "K8GUARD") && !strings.HasPrefix(one, "MAKE") && !strings.HasPrefix(one, "MFLAGS") {
			all = append(all, one)
		}
	}
	return append(all, "CGO_ENABLED=0", followed+"=1")
}

func (w tree) read(name string) string {
	w.t.Helper()
	text, err := os.ReadFile(filepath.Join(w.dir, name))
	if err != nil {
		w.t.Fatal(err)
	}
	return string(text)
}
