package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
)

// Mirror is a file that answers the report's questions about a ledger which lies elsewhere.
// It can be thrown away: whoever keeps it up to date can fill it again. It answers what
// [ledger.Projections] asks, but for single dockets, which it does not keep whole.
type Mirror struct{ *Ledger }

// Copy is one docket as the other ledger has it.
type Copy struct {
	Docket docket.Docket
	// Stamp tells the states of one docket apart: the later has the higher one. An older
	// state than the one that is here is ignored.
	Stamp int64
	// Closed is since when nothing of it is open, in microseconds; 0 while anything is.
	Closed int64
	// Lines are all that are not here yet; others do no harm. All mirrors of one ledger give a line the same place.
	Lines []PlacedLine
	// Upto is the number of the last line there.
	Upto int64
}

// PlacedLine is a line, with its number in its docket, at its place among all lines.
type PlacedLine struct {
	Place int64
	Line  ledger.Line
}

// Known is what a mirror has of a docket; zero if nothing.
type Known struct{ Stamp, Version, Upto int64 }

const mirrorTables = `
CREATE TABLE IF NOT EXISTS mirror_state (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS mirror_dockets (
  cluster TEXT NOT NULL, root TEXT NOT NULL,
  stamp INTEGER NOT NULL, version INTEGER NOT NULL, upto INTEGER NOT NULL,
  PRIMARY KEY (cluster, root)
) WITHOUT ROWID;`

// OpenMirror opens the file, or creates it, and locks it for this process until Close.
func OpenMirror(ctx context.Context, path string, now func() time.Time) (*Mirror, error) {
	l, err := Open(ctx, path, now)
	if err != nil {
		return nil, err
	}
	// What a crash loses of it is read again.
	for _, statement := range []string{mirrorTables, "PRAGMA synchronous = NORMAL"} {
		if _, err := l.write.ExecContext(ctx, statement); err != nil {
			return nil, errors.Join(fmt.Errorf("open mirror %s: %w", path, err), l.Close())
		}
	}
	return &Mirror{l}, nil
}

// Format is the version of the file's tables. Those of another format were brought up to
// date from documents that a mirror does not keep: it has to be filled again.
func (m *Mirror) Format(ctx context.Context) (n int, err error) {
	if err = m.read.QueryRowContext(ctx, "PRAGMA user_version").Scan(&n); err != nil {
		return 0, fmt.Errorf("read the mirror's format: %w", err)
	}
	return n, nil
}

// Known returns how much of a docket is here.
func (m *Mirror) Known(ctx context.Context, key docket.Key) (k Known, err error) {
	row := m.read.QueryRowContext(ctx, selectKnown, key.Cluster, key.Root)
	return scanKnown(row, key)
}

const selectKnown = "SELECT stamp, version, upto FROM mirror_dockets WHERE cluster = ? AND root = ?"

func scanKnown(row *sql.Row, key docket.Key) (k Known, err error) {
	if err = row.Scan(&k.Stamp, &k.Version, &k.Upto); err != nil && !errors.Is(err, sql.ErrNoRows) {
		return k, fmt.Errorf("look for docket %q in the mirror: %w", key, err)
	}
	return k, nil
}

// Apply takes over newer states of dockets with their new lines, all together. It may be
// called with the same or an older state any number of times.
func (m *Mirror) Apply(ctx context.Context, copies ...Copy) error {
	return m.transact(ctx, func(tx *sql.Tx) error {
		for _, c := range copies {
			if err := m.applyNewer(ctx, tx, c); err != nil {
				return fmt.Errorf("mirror docket %q: %w", c.Docket.Key, err)
			}
		}
		return nil
	})
}

func (m *Mirror) applyNewer(ctx context.Context, tx *sql.Tx, c Copy) error {
	known, err := scanKnown(tx.QueryRowContext(ctx, selectKnown, c.Docket.Key.Cluster, c.Docket.Key.Root), c.Docket.Key)
	if err != nil || c.Stamp <= known.Stamp {
		return err
	}
	// A version that fell back is a new life: the docket was forgotten, and its numbers begin anew.
	if c.Docket.Version > known.Version {
		c.Lines = slices.DeleteFunc(slices.Clone(c.Lines), func(l PlacedLine) bool { return l.Line.Seq <= known.Upto })
	}
	return m.apply(ctx, tx, c)
}

func (m *Mirror) apply(ctx context.Context, tx *sql.Tx, c Copy) error {
	d := c.Docket
	state := ""
	if d.Enforcement != nil {
		state = string(d.Enforcement.State)
	}
	if _, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO dockets
		(cluster, root, bucket, version, live, enforcement, observed, doc, closed, home) VALUES (?, ?, ?, ?, ?, ?, ?, '{}', ?, ?)`,
		d.Key.Cluster, d.Key.Root, d.Key.Bucket(), d.Version, d.Live(), state, micros(d.ObservedAt), c.Closed, ledger.Home(d.Root)); err != nil {
		return err
	}
	if err := project(ctx, tx, d); err != nil {
		return err
	}
	for _, l := range c.Lines {
		place, err := free(ctx, tx, l.Place)
		if err != nil {
			return err
		}
		if err := appendLine(ctx, tx, place, l.Line); err != nil {
			return err
		}
	}
	_, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO mirror_dockets (cluster, root, stamp, version, upto) VALUES (?, ?, ?, ?, ?)",
		d.Key.Cluster, d.Key.Root, c.Stamp, d.Version, c.Upto)
	return err
}

// free is the place, or the next one behind it that no line has. Two lines get one place
// about once in millions; then only two mirrors may show these two in another order.
func free(ctx context.Context, tx *sql.Tx, place int64) (int64, error) {
	for ; ; place++ {
		var one int
		err := tx.QueryRowContext(ctx, "SELECT 1 FROM history WHERE seq = ?", place).Scan(&one)
		if errors.Is(err, sql.ErrNoRows) {
			return place, nil
		}
		if err != nil {
			return 0, err
		}
	}
}

// State returns what was kept under the key; "" if nothing.
func (m *Mirror) State(ctx context.Context, key string) (value string, err error) {
	err = m.read.QueryRowContext(ctx, "SELECT value FROM mirror_state WHERE key = ?", key).Scan(&value)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("read the mirror's %s: %w", key, err)
	}
	return value, nil
}

// SetState keeps a value under the key.
func (m *Mirror) SetState(ctx context.Context, key, value string) error {
	if _, err := m.write.ExecContext(ctx, "INSERT OR REPLACE INTO mirror_state (key, value) VALUES (?, ?)", key, value); err != nil {
		return fmt.Errorf("keep the mirror's %s: %w", key, err)
	}
	return nil
}
