package cassandra

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"

	gocql "github.com/apache/cassandra-gocql-driver/v2"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
)

const (
	maxLines = 1000
	// maxPageBytes ends a page early: what tenants wrote may be long.
	maxPageBytes = 8 << 20
	maxID        = 200
)

// Case returns the docket that holds the case, or ledger.ErrNotFound.
func (s *Store) Case(ctx context.Context, id string) (docket.Docket, error) {
	d, err := s.byCase(ctx, id)
	if err != nil {
		return docket.Docket{}, fmt.Errorf("find case %q: %w", id, err)
	}
	return d, nil
}

func (s *Store) byCase(ctx context.Context, id string) (d docket.Docket, err error) {
	if id == "" || len(id) > maxID || !utf8.ValidString(id) {
		return d, ledger.ErrNotFound
	}
	var key docket.Key
	err = s.read("SELECT cluster, root FROM cases WHERE id = ?", id).ScanContext(ctx, &key.Cluster, &key.Root)
	if errors.Is(err, gocql.ErrNotFound) {
		return d, ledger.ErrNotFound
	}
	if err != nil {
		return d, err
	}
	if d, err = s.Load(ctx, key); err == nil && d.Find(id) == nil {
		err = ledger.ErrNotFound // announced, not stored; or gone
	}
	return d, err
}

// History returns a docket's entries, oldest first, from the one after "after".
func (s *Store) History(ctx context.Context, key docket.Key, after int64, limit int) ([]ledger.Line, error) {
	lines, err := s.lines(ctx, key, after, limit, "ASC")
	if err != nil {
		return nil, fmt.Errorf("history of %q: %w", key, err)
	}
	return lines, nil
}

// Latest returns a docket's newest entries, oldest first.
func (s *Store) Latest(ctx context.Context, key docket.Key, limit int) ([]ledger.Line, error) {
	lines, err := s.lines(ctx, key, 0, limit, "DESC")
	if err != nil {
		return nil, fmt.Errorf("latest history of %q: %w", key, err)
	}
	slices.Reverse(lines)
	return lines, nil
}

func (s *Store) lines(ctx context.Context, key docket.Key, after int64, limit int, order string) ([]ledger.Line, error) {
	if limit < 1 || limit > maxLines {
		return nil, fmt.Errorf("limit %d: ask for 1 to %d", limit, maxLines)
	}
	rows := s.read("SELECT line FROM dockets WHERE cluster = ? AND root = ? AND seq > ? ORDER BY seq "+order+" LIMIT ?",
		key.Cluster, key.Root, after, limit).PageSize(pageRows).IterContext(ctx)
	var all []ledger.Line
	var text []byte
	for total := 0; total <= maxPageBytes && rows.Scan(&text); total += len(text) {
		var line ledger.Line
		if err := decode(text, &line); err != nil {
			return nil, errors.Join(err, rows.Close())
		}
		all = append(all, line)
	}
	return all, rows.Close()
}
