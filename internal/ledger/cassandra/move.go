package cassandra

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
)

var _ ledger.Target = (*Store)(nil)

// Snapshot gives do the ledger. It is of one moment only if nobody writes meanwhile.
func (s *Store) Snapshot(_ context.Context, do func(ledger.Source) error) error { return do(s) }

// DocketKeys implements ledger.Source: it reads the ring in parts.
func (s *Store) DocketKeys(ctx context.Context) ([]docket.Key, error) {
	var mu sync.Mutex
	var all []docket.Key
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(rangesRead)
	for i := range ranges {
		group.Go(func() error {
			found, err := s.docketKeys(ctx, bound(i), bound(i+1))
			mu.Lock()
			defer mu.Unlock()
			all = append(all, found...)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, fmt.Errorf("list dockets: %w", err)
	}
	slices.SortFunc(all, func(a, b docket.Key) int {
		if by := strings.Compare(a.Cluster, b.Cluster); by != 0 {
			return by
		}
		return strings.Compare(a.Root, b.Root)
	})
	return all, nil
}

func (s *Store) docketKeys(ctx context.Context, from, to int64) (all []docket.Key, err error) {
	rows := s.read("SELECT DISTINCT cluster, root, version FROM dockets WHERE token(cluster, root) > ? AND token(cluster, root) <= ?", from, to).
		PageSize(scanPage).IterContext(ctx)
	var key docket.Key
	for version := int64(0); rows.Scan(&key.Cluster, &key.Root, &version); version = 0 {
		if version != versionless {
			all = append(all, key)
		}
	}
	return all, rows.Close()
}

// RecordKeys implements ledger.Source.
func (s *Store) RecordKeys(ctx context.Context) ([]string, error) {
	rows := s.read("SELECT key, version FROM records").PageSize(scanPage).IterContext(ctx)
	var all []string
	var key string
	for version := int64(0); rows.Scan(&key, &version); version = 0 {
		if version != versionless {
			all = append(all, key)
		}
	}
	if err := rows.Close(); err != nil {
		return nil, fmt.Errorf("list records: %w", err)
	}
	slices.Sort(all)
	return all, nil
}

// Dossier implements ledger.Source.
func (s *Store) Dossier(ctx context.Context, key docket.Key) (ledger.Dossier, error) {
	d, err := s.dossier(ctx, key)
	if err != nil {
		return ledger.Dossier{}, fmt.Errorf("read docket %q: %w", key, err)
	}
	return d, nil
}

func (s *Store) dossier(ctx context.Context, key docket.Key) (ledger.Dossier, error) {
	d, c, err := s.load(ctx, key)
	if err != nil || c.version == versionless {
		return ledger.Dossier{Docket: d}, err
	}
	all := ledger.Dossier{Docket: d, Closed: c.closed}
	lines, err := s.placedLines(ctx, key, 0, (c.version+1)*perVersion-1)
	for _, l := range lines {
		l.Line.Seq = 0
		// Clocks of two writers differ; a docket's own order counts.
		if n := len(all.Lines); n > 0 {
			l.Place = max(l.Place, all.Lines[n-1].Place+1)
		}
		all.Lines = append(all.Lines, ledger.Placed{Place: l.Place, Line: l.Line})
	}
	return all, err
}

// Restore implements ledger.Target: each docket by itself, some at once.
func (s *Store) Restore(ctx context.Context, all ...ledger.Dossier) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for _, d := range all {
		group.Go(func() error {
			if err := s.turns.take(ctx, d.Docket.Key.String(), func() error { return s.restore(ctx, d) }); err != nil {
				return fmt.Errorf("restore docket %q: %w", d.Docket.Key, err)
			}
			return nil
		})
	}
	return group.Wait()
}

// RestoreRecords implements ledger.Target: each by itself, some at once.
func (s *Store) RestoreRecords(ctx context.Context, all ...ledger.Record) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for _, r := range all {
		group.Go(func() error {
			err := size(len(r.Value), maxDocument)
			if err == nil {
				err = s.turns.take(ctx, r.Key, func() error { return s.restoreRecord(ctx, r) })
			}
			if err != nil {
				return fmt.Errorf("restore record %q: %w", r.Key, err)
			}
			return nil
		})
	}
	return group.Wait()
}

// vacant wants that nothing is there that anyone sees.
func vacant(was head, err error) error {
	if err == nil && was.version != versionless {
		return ledger.ErrConflict
	}
	return err
}
