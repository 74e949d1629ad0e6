package controlplane

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/k8guard/k8guard/tools/clone"
)

const assetsVariable = "KUBEBUILDER_ASSETS"

// Assets returns the folder of the programs: the one that KUBEBUILDER_ASSETS names, or else
// the one in the user's cache for the versions pinned in the modules beside this package,
// which is built first if it is not there. Building tells progress how long it will take.
func Assets(ctx context.Context, progress io.Writer) (string, error) {
	if dir := os.Getenv(assetsVariable); dir != "" {
		if missing := missingPrograms(dir); len(missing) > 0 {
			return "", fmt.Errorf("controlplane: %s=%s lacks %s; add them, or unset it to have all built",
				assetsVariable, dir, strings.Join(missing, ", "))
		}
		return filepath.Abs(dir)
	}
	root, err := clone.Root(ctx)
	if err != nil {
		return "", err
	}
	pinned, err := readVersions(filepath.Join(root, "tools", "controlplane"))
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the cache folder, set HOME or XDG_CACHE_HOME: %w", err)
	}
	dir := filepath.Join(cache, "k8guard", "controlplane", pinned.key())
	if len(missingPrograms(dir)) == 0 {
		return dir, nil
	}
	b := builder{modules: filepath.Join(root, "tools", "controlplane"), pinned: pinned, dir: dir, progress: progress}
	return dir, b.run(ctx)
}

func missingPrograms(dir string) []string {
	var missing []string
	for _, name := range []string{etcd, apiServer, controllerManager, scheduler, kubectl, kwok} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || !info.Mode().IsRegular() || info.Mode()&0o100 == 0 {
			missing = append(missing, name)
		}
	}
	return missing
}
