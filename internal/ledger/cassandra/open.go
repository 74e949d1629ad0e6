package cassandra

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	gocql "github.com/apache/cassandra-gocql-driver/v2"
	"golang.org/x/sync/errgroup"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
)

const (
	atOnce = 16
	// orphaned is how old an entry of a docket that never came to be must be to go.
	orphaned = time.Hour
)

// announce writes what must not be missing when the change is there: the entry among the
// open ones, the way from a case to its docket, the feed. It is harmless if the change never
// comes. The timestamps are the docket's own, so that a clock that is ahead hides nothing.
func (s *Store) announce(ctx context.Context, n draft, was cover) error {
	k := n.docket.Key
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	if n.docket.Live() {
		group.Go(func() error {
			return s.write(ctx, "INSERT INTO open_dockets (bucket, cluster, root, stamp) VALUES (?, ?, ?, ?) USING TIMESTAMP ?",
				k.Bucket(), k.Cluster, k.Root, n.stamp, n.stamp)
		})
	}
	for _, id := range n.caseIDs {
		if id == "" || slices.Contains(was.caseIDs, id) && was.closed == 0 {
			continue
		}
		group.Go(func() error { return s.putCase(ctx, id, k, n.stamp, 0) })
	}
	group.Go(func() error { return s.tell(ctx, k, n.stamp) })
	if err := group.Wait(); err != nil {
		return fmt.Errorf("announce: %w", err)
	}
	return nil
}

// tidy takes away what the change left behind. What it fails to do, OpenInBucket does later.
func (s *Store) tidy(ctx context.Context, n draft, was cover) {
	ctx, cancel := context.WithTimeout(ctx, s.settings.Timeout)
	defer cancel()
	k := n.docket.Key
	now := cover{head: head{version: n.docket.Version, writeID: n.id}, stamp: n.stamp, closed: n.closed, caseIDs: n.caseIDs}
	err := s.leaveOpen(ctx, k, now, n.docket.Live(), n.closed != 0 && was.closed == 0)
	for _, id := range was.caseIDs {
		if !slices.Contains(n.caseIDs, id) {
			err = errors.Join(err, s.write(ctx, "DELETE FROM cases USING TIMESTAMP ? WHERE id = ?", n.stamp, id))
		}
	}
	if err != nil {
		s.log.Warn("a change is stored, but something is left to tidy up", "docket", k.String(), "err", err, "next", "it is done when its bucket is read")
	}
}

// leaveOpen takes a docket from the open ones if nothing of it is. The entry goes last: as
// long as it is there, somebody will come and finish.
func (s *Store) leaveOpen(ctx context.Context, k docket.Key, now cover, live, closing bool) error {
	if live {
		return nil
	}
	if now.closed != 0 {
		// Only now: had the change lost, an open case would have a deadline.
		for _, id := range now.caseIDs {
			if err := s.putCase(ctx, id, k, now.stamp, s.ttl(now.closed)); err != nil {
				return err
			}
		}
	}
	if closing {
		if err := s.dateLines(ctx, k, now); errors.Is(err, ledger.ErrConflict) {
			return nil // it lives on; who changed it sees to it
		} else if err != nil {
			return err
		}
	}
	return s.removeOpen(ctx, k, now.stamp)
}

// putCase writes the way from a case to its docket. Of two with one timestamp the one with a
// deadline stays.
func (s *Store) putCase(ctx context.Context, id string, k docket.Key, stamp int64, ttl int) error {
	return s.write(ctx, "INSERT INTO cases (id, cluster, root) VALUES (?, ?, ?) USING TIMESTAMP ? AND TTL ?", id, k.Cluster, k.Root, stamp, ttl)
}

func (s *Store) removeOpen(ctx context.Context, k docket.Key, stamp int64) error {
	return s.write(ctx, "DELETE FROM open_dockets USING TIMESTAMP ? WHERE bucket = ? AND cluster = ? AND root = ?", stamp, k.Bucket(), k.Cluster, k.Root)
}

// OpenInBucket implements ledger.Dockets. Entries of dockets that are not open any more are
// tidied up on the way.
func (s *Store) OpenInBucket(ctx context.Context, bucket int) ([]docket.Key, error) {
	keys, err := s.openInBucket(ctx, bucket)
	if err != nil {
		return nil, fmt.Errorf("list open dockets of bucket %d: %w", bucket, err)
	}
	return keys, nil
}

func (s *Store) openInBucket(ctx context.Context, bucket int) ([]docket.Key, error) {
	rows := s.read("SELECT cluster, root, stamp FROM open_dockets WHERE bucket = ?", bucket).IterContext(ctx)
	var all []docket.Key
	var stamps []int64
	for k, stamp := (docket.Key{}), int64(0); rows.Scan(&k.Cluster, &k.Root, &stamp); {
		all, stamps = append(all, k), append(stamps, stamp)
	}
	if err := rows.Close(); err != nil {
		return nil, err
	}
	live := make([]bool, len(all))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for i, k := range all {
		group.Go(func() (err error) {
			live[i], err = s.isOpen(ctx, k, stamps[i])
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	var open []docket.Key
	for i, k := range all {
		if live[i] {
			open = append(open, k)
		}
	}
	return open, nil
}

// isOpen looks at the docket itself.
func (s *Store) isOpen(ctx context.Context, k docket.Key, entry int64) (bool, error) {
	now, err := s.cover(ctx, k, gocql.LocalQuorum)
	switch {
	case err != nil || now.live:
		return now.live, err
	case now.version == 0:
		if s.now().UnixMicro()-entry > orphaned.Microseconds() {
			return false, s.removeOpen(ctx, k, entry)
		}
		return false, nil // it may be about to be stored
	}
	return false, s.leaveOpen(ctx, k, now, false, now.closed != 0)
}
