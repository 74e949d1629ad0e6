package controlplane

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

const modulePath = "github.com/k8guard/k8guard"

// versions pinned in the modules that the programs are built from.
type versions struct{ kubernetes, etcd, kwok string }

// key names the folder of programs of these versions for this machine's kind.
func (v versions) key() string {
	return fmt.Sprintf("k8s-%s_etcd-%s_kwok-%s_%s-%s", v.kubernetes, v.etcd, v.kwok, runtime.GOOS, runtime.GOARCH)
}

func readVersions(modules string) (versions, error) {
	var v versions
	for _, m := range []struct {
		folder, path string
		into         *string
	}{
		{"kubernetes", "k8s.io/kubernetes", &v.kubernetes},
		{"etcd", "go.etcd.io/etcd/server/v3", &v.etcd},
		{"kwok", "sigs.k8s.io/kwok", &v.kwok},
	} {
		file := filepath.Join(modules, m.folder, "go.mod")
		text, err := os.ReadFile(file)
		if err != nil {
			return v, fmt.Errorf("read the pinned version: %w", err)
		}
		if *m.into, err = requiredVersion(string(text), m.path); err != nil {
			return v, fmt.Errorf("%s: %w", file, err)
		}
	}
	return v, nil
}

// requiredVersion finds the version that a go.mod requires of a module.
func requiredVersion(text, module string) (string, error) {
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "//")
		fields := strings.Fields(line)
		if len(fields) > 0 && fields[0] == "require" {
			fields = fields[1:]
		}
		if len(fields) == 2 && fields[0] == module && strings.HasPrefix(fields[1], "v") {
			return fields[1], nil
		}
	}
	return "", fmt.Errorf("controlplane: go.mod does not require %s, add it", module)
}

// RepositoryRoot is the folder of the clone that this package was built from.
func RepositoryRoot(ctx context.Context) (string, error) {
	if _, file, _, ok := runtime.Caller(0); ok && filepath.IsAbs(file) {
		root := filepath.Dir(filepath.Dir(filepath.Dir(file)))
		if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil {
			return root, nil
		}
	}
	// Built with -trimpath: the file's place is not known, the working folder is.
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", modulePath).Output()
	if err != nil {
		return "", fmt.Errorf("find the clone of %s, run inside of it: %w", modulePath, err)
	}
	return strings.TrimSpace(string(out)), nil
}
