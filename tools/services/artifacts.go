package services

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/k8guard/k8guard/tools/clone"
)

// keyLength of a pom's hash in the name of the folder of its artifacts.
const keyLength = 16

// Fetch returns the folder of a service's jars in the user's cache, keyed by the hash of the
// pom.xml that pins them; Maven copies them into it first if they are not there. Memcached has none.
func Fetch(ctx context.Context, kind Kind, progress io.Writer) (string, error) {
	dir, err := artifacts(ctx, kind)
	if err != nil || whole(dir) {
		return dir, err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return "", fmt.Errorf("make the cache folder: %w", err)
	}
	unlock, err := lock(ctx, dir+".lock")
	if err != nil {
		return "", err
	}
	defer unlock()
	if whole(dir) { // by another, while we waited
		return dir, nil
	}
	pom, err := pomOf(ctx, kind)
	if err != nil {
		return "", err
	}
	fmt.Fprintf(progress, "fetching %s by Maven, about 15 s, once; it is kept in %s\n", kind, dir)
	return dir, copyJars(ctx, pom, dir)
}

// copyJars copies into a folder beside and renames it, so that the folder is whole or not there.
func copyJars(ctx context.Context, pom, dir string) error {
	temporary, err := os.MkdirTemp(filepath.Dir(dir), ".fetching-")
	if err != nil {
		return fmt.Errorf("make a folder to fetch into: %w", err)
	}
	defer func() { _ = os.RemoveAll(temporary) }()
	cmd := exec.CommandContext(ctx, "mvn", "-q", "-B", "-C", "-f", pom, "dependency:copy-dependencies", "-DoutputDirectory="+temporary)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("copy what %s pins by Maven: %w\n%s", pom, err, out)
	}
	if err := os.Chmod(temporary, 0o755); err != nil {
		return fmt.Errorf("open the jars to others: %w", err)
	}
	if err := os.Rename(temporary, dir); err != nil {
		return fmt.Errorf("put the jars in place: %w", err)
	}
	return nil
}

// artifacts names the folder, whether or not it is there.
func artifacts(ctx context.Context, kind Kind) (string, error) {
	pom, err := pomOf(ctx, kind)
	if err != nil {
		return "", err
	}
	text, err := os.ReadFile(pom)
	if err != nil {
		return "", fmt.Errorf("read the pinned version of %s: %w", kind, err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the cache folder, set HOME or XDG_CACHE_HOME: %w", err)
	}
	sum := sha256.Sum256(text)
	return filepath.Join(cache, "k8guard", "services", string(kind)+"-"+hex.EncodeToString(sum[:])[:keyLength]), nil
}

func pomOf(ctx context.Context, kind Kind) (string, error) {
	root, err := clone.Root(ctx)
	if err != nil {
		return "", err
	}
	return filepath.Join(root, "tools", string(kind), "pom.xml"), nil
}

func whole(dir string) bool {
	info, err := os.Stat(dir)
	return err == nil && info.IsDir()
}

// lock waits for the lock file, which a holder that dies gives up by dying.
func lock(ctx context.Context, name string) (unlock func(), err error) {
	file, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the lock: %w", err)
	}
	for {
		if syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			return func() { _ = file.Close() }, nil
		}
		select {
		case <-ctx.Done():
			_ = file.Close()
			return nil, fmt.Errorf("wait for the lock %s: %w", name, ctx.Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
}
