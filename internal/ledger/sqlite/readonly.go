package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"time"
)

// OpenReadOnly opens a ledger that is there, beside the process that writes it or without
// one. It takes no lock; every write is an error.
func OpenReadOnly(ctx context.Context, path string) (*Ledger, error) {
	path, err := resolve(path)
	if err == nil {
		_, err = os.Stat(path)
	}
	if err != nil {
		return nil, fmt.Errorf("open ledger: %w; name the data.dir of a K8Guard that has run", err)
	}
	options := url.Values{"mode": {"ro"}, "_pragma": {"busy_timeout(10000)", "query_only(1)"}}
	db, err := sql.Open("sqlite", dsn(path, options))
	if err != nil {
		return nil, fmt.Errorf("open ledger %s: %w", path, err)
	}
	db.SetMaxOpenConns(readers)
	db.SetMaxIdleConns(readers)
	if err := current(ctx, db); err != nil {
		_ = db.Close()
		return nil, fmt.Errorf("open ledger %s: %w", path, err)
	}
	// Both names are one pool: what writes is refused by SQLite itself.
	return &Ledger{write: db, read: db, now: time.Now}, nil
}

// current refuses a file of another format: a reader cannot migrate it.
func current(ctx context.Context, db *sql.DB) error {
	names, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return err
	}
	var at int
	if err := db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&at); err != nil {
		return fmt.Errorf("read its version (is it a K8Guard ledger?): %w", err)
	}
	if at != len(names) {
		return fmt.Errorf("it has format %d, and this K8Guard reads format %d: use the version that writes it", at, len(names))
	}
	return nil
}
