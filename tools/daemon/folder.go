package daemon

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Claim makes a server's state folder and refuses one that holds anything, since stale data or
// certificates in it would be trusted. Who is the caller's package and whose the server, for errors.
func Claim(who, whose, dir string) (string, error) {
	if dir == "" {
		return "", errors.New(who + ": Options.Dir is empty, name a folder for " + whose + " state")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("resolve the state folder: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("make the state folder: %w", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", fmt.Errorf("read the state folder: %w", err)
	}
	if len(entries) > 0 {
		return "", fmt.Errorf("%s: state folder %s is not empty, remove it or name another", who, dir)
	}
	return dir, nil
}

// Patience bounds a wait: in all, between two looks, and for one look.
type Patience struct{ Within, Every, Call time.Duration }

// Await calls done until it returns nil. It gives up when died says that nothing more is to
// come, or when the time is up, and then says what it waited for last.
func Await(ctx context.Context, p Patience, what string, died func() error, done func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, p.Within)
	defer cancel()
	for {
		call, cancelCall := context.WithTimeout(ctx, p.Call)
		last := done(call)
		cancelCall()
		if last == nil {
			return nil
		}
		if err := died(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w (last: %w)", what, ctx.Err(), last)
		case <-time.After(p.Every):
		}
	}
}
