//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package sqlite

import (
	"errors"
	"fmt"
	"os"
)

// acquire refuses: without a lock that dies with its process, two writers could meet.
func acquire(path string) (*os.File, error) {
	return nil, fmt.Errorf("lock ledger %s: run K8Guard on Linux, BSD or macOS: %w", path, errors.ErrUnsupported)
}
