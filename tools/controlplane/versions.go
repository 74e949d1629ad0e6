package controlplane

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

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
