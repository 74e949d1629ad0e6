// Package sqlite is the embedded ledger: one file, one process.
//
// Purpose: everything that ledger.Ledger promises, without a server to run.
//
// Concurrency: one connection writes and a small pool reads, so readers never wait for the
// writer. A second process is refused as a writer; it may open the file read-only.
//
// Guarantees: a call that returned nil is on the disk (WAL with synchronous=FULL). A
// docket, its cases and its history entries change in one transaction. Projections are
// never behind. History cannot be changed, not even by SQL, nor deleted before its docket is.
//
// It will not: open a file that a newer K8Guard wrote, keep a document above 2 MB, or
// delete anything but by [Ledger.Prune].
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"

	_ "modernc.org/sqlite" // the driver registers itself by import

	"github.com/k8guard/k8guard/internal/ledger"
)

// MaxDocument bounds the JSON of one docket, history entry or record, in bytes.
const MaxDocument = 2 << 20

// ErrTooLarge says that a document is above [MaxDocument]; nothing was stored.
var ErrTooLarge = ledger.ErrTooLarge

// ErrLocked says that another process has the file.
var ErrLocked = errors.New("another k8guard runs on it")

var _ ledger.Ledger = (*Ledger)(nil)

const readers = 5 // one of them only tells the position

// Ledger is an open file. Close it to free its lock.
type Ledger struct {
	write *sql.DB
	read  *sql.DB
	lock  *os.File
	now   func() time.Time

	position position
}

// Open opens the file, or creates it, brings its tables up to date and locks it for this
// process until Close. Its folder must exist. The clock stamps entries that have no time.
func Open(ctx context.Context, path string, now func() time.Time) (*Ledger, error) {
	path, err := resolve(path)
	if err != nil {
		return nil, fmt.Errorf("open ledger %s: %w", path, err)
	}
	lock, err := acquire(path)
	if err != nil {
		return nil, err
	}
	l := &Ledger{lock: lock, now: now}
	if err := l.open(ctx, path); err != nil {
		return nil, errors.Join(fmt.Errorf("open ledger %s: %w", path, err), l.Close())
	}
	return l, nil
}

// resolve follows links: a file under two names is one ledger, and has one lock.
func resolve(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return path, err
	}
	real, err := filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) {
		return path, nil
	}
	if err != nil {
		return path, err
	}
	return real, nil
}

func (l *Ledger) open(ctx context.Context, path string) error {
	// Created by us, so that only this user may read what owners wrote.
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	if l.write, err = sql.Open("sqlite", dsn(path, url.Values{
		"_txlock": {"immediate"},
		"_pragma": {"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)"},
	})); err != nil {
		return err
	}
	l.write.SetMaxOpenConns(1)
	if err := migrate(ctx, l.write, migrations); err != nil {
		return err
	}
	if err := vacuumable(ctx, l.write); err != nil {
		return err
	}
	if l.read, err = sql.Open("sqlite", dsn(path, url.Values{
		"_pragma": {"busy_timeout(10000)", "query_only(1)"},
	})); err != nil {
		return err
	}
	l.read.SetMaxOpenConns(readers)
	l.read.SetMaxIdleConns(readers)
	return l.read.PingContext(ctx)
}

func dsn(path string, options url.Values) string {
	return (&url.URL{Scheme: "file", Path: path, RawQuery: options.Encode()}).String()
}

// Close waits for what runs, closes the file and frees its lock.
func (l *Ledger) Close() error {
	failures := []error{l.position.close()}
	if l.read != nil {
		failures = append(failures, l.read.Close())
	}
	if l.write != nil && l.write != l.read {
		failures = append(failures, l.write.Close())
	}
	if l.lock == nil { // a reader's
		return errors.Join(failures...)
	}
	if err := l.lock.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		failures = append(failures, err)
	}
	return errors.Join(failures...)
}

func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}
