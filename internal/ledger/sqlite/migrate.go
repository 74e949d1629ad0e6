package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrate runs the steps that the file has not seen, each in its own transaction together
// with the number that says so.
func migrate(ctx context.Context, db *sql.DB, files fs.FS) error {
	names, err := fs.Glob(files, "migrations/*.sql") // sorted, and numbered from 1 without a gap
	if err != nil {
		return err
	}
	var at int
	if err := db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&at); err != nil {
		return fmt.Errorf("read its version (is it a K8Guard ledger?): %w", err)
	}
	if at > len(names) {
		return fmt.Errorf("a newer K8Guard wrote it (format %d, this one knows up to %d): run that version or restore a backup", at, len(names))
	}
	for i := at; i < len(names); i++ {
		if err := step(ctx, db, files, names[i], i+1); err != nil {
			return fmt.Errorf("migrate to format %d (%s): %w", i+1, names[i], err)
		}
	}
	return nil
}

func step(ctx context.Context, db *sql.DB, files fs.FS, name string, version int) error {
	text, err := fs.ReadFile(files, name)
	if err != nil {
		return err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	if _, err := tx.ExecContext(ctx, string(text)); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", version)); err != nil {
		return err
	}
	return tx.Commit()
}
