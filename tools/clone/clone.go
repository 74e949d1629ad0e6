// Package clone finds the clone that the programs under tools were built from.
//
// Purpose: pinned versions are read from the clone's own files, wherever it lies.
//
// Concurrency: nothing is kept.
//
// Guarantees: the folder that Root returns holds the product's go.mod.
//
// It will not: guess; a program that runs outside of a clone is told so.
package clone

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

// Root is the folder of the clone that this package was built from.
func Root(ctx context.Context) (string, error) {
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
