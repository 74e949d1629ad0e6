package cassandra

import (
	"context"
	"errors"
	"fmt"

	gocql "github.com/apache/cassandra-gocql-driver/v2"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
)

// cover is what a docket's partition says about itself, beside the docket.
type cover struct {
	head
	stamp, closed int64
	live          bool
	caseIDs       []string
}

const (
	selectCover = "SELECT version, write_id, writes, stamp, closed, live, case_ids FROM dockets WHERE cluster = ? AND root = ? LIMIT 1"
	selectLoad  = "SELECT version, write_id, writes, stamp, closed, live, case_ids, doc FROM dockets WHERE cluster = ? AND root = ? LIMIT 1"
)

func (s *Store) cover(ctx context.Context, key docket.Key, level gocql.Consistency) (c cover, err error) {
	err = s.read(selectCover, key.Cluster, key.Root).Consistency(level).
		ScanContext(ctx, &c.version, &c.writeID, &c.writes, &c.stamp, &c.closed, &c.live, &c.caseIDs)
	if errors.Is(err, gocql.ErrNotFound) {
		return cover{}, nil
	}
	return c, err
}

// Load implements ledger.Dockets.
func (s *Store) Load(ctx context.Context, key docket.Key) (docket.Docket, error) {
	d, c, err := s.load(ctx, key)
	if err != nil {
		return docket.Docket{}, fmt.Errorf("load docket %q: %w", key, err)
	}
	s.recall.put(key, c)
	return d, nil
}

func (s *Store) load(ctx context.Context, key docket.Key) (d docket.Docket, c cover, err error) {
	var doc []byte
	err = s.read(selectLoad, key.Cluster, key.Root).
		ScanContext(ctx, &c.version, &c.writeID, &c.writes, &c.stamp, &c.closed, &c.live, &c.caseIDs, &doc)
	if errors.Is(err, gocql.ErrNotFound) || err == nil && c.version == 0 {
		return docket.Docket{Key: key}, c, nil
	}
	if err == nil {
		err = s.codec.unpack(doc, &d)
	}
	d.Version = c.version
	return d, c, err
}

// CompareAndSet implements ledger.Dockets.
func (s *Store) CompareAndSet(ctx context.Context, next docket.Docket, entries []docket.Entry) (int64, error) {
	version, err := s.compareAndSet(ctx, next, entries)
	if err != nil {
		return 0, fmt.Errorf("store docket %q: %w", next.Key, err)
	}
	return version, nil
}

func (s *Store) compareAndSet(ctx context.Context, next docket.Docket, entries []docket.Entry) (int64, error) {
	expected := next.Version
	next.Version++
	n := draft{docket: next, id: gocql.MustRandomUUID()}
	var err error
	if n.doc, err = s.codec.pack(next); err != nil {
		return 0, err
	}
	if n.rows, err = s.rows(next, entries); err != nil {
		return 0, err
	}
	return next.Version, s.turns.take(ctx, next.Key.String(), func() error { return s.replace(ctx, n, expected) })
}

// replace writes the next state in the place of the expected one.
func (s *Store) replace(ctx context.Context, n draft, expected int64) error {
	key := n.docket.Key
	was, known := s.recall.take(key, expected)
	if !known {
		var err error
		if was, err = s.cover(ctx, key, gocql.LocalQuorum); err != nil {
			return err
		}
	}
	if was.version != expected {
		return ledger.ErrConflict
	}
	n.dress(was, s.now())
	if err := s.announce(ctx, n, was); err != nil {
		return err
	}
	if was.closed != 0 && n.closed == 0 {
		if err := s.keepLines(ctx, key, &was); err != nil {
			return err
		}
	}
	t := partition{s, key, s.ttl(was.closed)}
	if err := s.change(ctx, t, was.head, n.id, func(ctx context.Context) (bool, error) { return s.send(ctx, n, was) }); err != nil {
		return err
	}
	s.recall.take(key, expected) // who loaded it meanwhile is late
	s.tidy(context.WithoutCancel(ctx), n, was)
	return nil
}
