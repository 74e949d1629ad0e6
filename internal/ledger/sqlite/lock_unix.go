//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package sqlite

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// acquire locks a file beside the ledger. The kernel frees it when the process dies, so a
// crash leaves nothing to clean up.
func acquire(path string) (*os.File, error) {
	file, err := os.OpenFile(path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock ledger %s (does its folder exist, and may this user write there?): %w", path, err)
	}
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		return file, nil
	}
	_ = file.Close()
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, fmt.Errorf("ledger %s: %w; talk to it over its socket", path, ErrLocked)
	}
	return nil, fmt.Errorf("lock ledger %s: %w", path, err)
}
