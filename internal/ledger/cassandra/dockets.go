package cassandra

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

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

const selectCover = "SELECT version, write_id, writes, stamp, closed, live, case_ids FROM dockets WHERE cluster = ? AND root = ? LIMIT 1"

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
	d, _, err := s.load(ctx, key)
	if err != nil {
		return docket.Docket{}, fmt.Errorf("load docket %q: %w", key, err)
	}
	return d, nil
}

func (s *Store) load(ctx context.Context, key docket.Key) (d docket.Docket, c cover, err error) {
	var doc []byte
	err = s.read("SELECT version, stamp, closed, doc FROM dockets WHERE cluster = ? AND root = ? LIMIT 1", key.Cluster, key.Root).
		ScanContext(ctx, &c.version, &c.stamp, &c.closed, &doc)
	if errors.Is(err, gocql.ErrNotFound) || err == nil && c.version == 0 {
		return docket.Docket{Key: key}, cover{}, nil
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
	was, err := s.cover(ctx, key, gocql.LocalQuorum)
	if err != nil {
		return err
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
	s.tidy(context.WithoutCancel(ctx), n, was)
	return nil
}

// draft is a docket's next state.
type draft struct {
	docket        docket.Docket
	doc           []byte
	rows          []row
	id            gocql.UUID
	stamp, closed int64
	caseIDs       []string
}

// dress fills in what follows from the state before.
func (n *draft) dress(was cover, now time.Time) {
	n.stamp = max(now.UnixMicro(), was.stamp+1)
	if over := ledger.Over(n.docket, now); !over.IsZero() {
		n.closed = max(1, over.UnixMicro())
		if was.closed != 0 {
			n.closed = was.closed
		}
	}
	for _, c := range n.docket.Cases {
		n.caseIDs = append(n.caseIDs, c.ID)
	}
	slices.Sort(n.caseIDs)
}

const insertLine = "INSERT INTO dockets (cluster, root, seq, place, line) VALUES (?, ?, ?, ?, ?) USING TTL ?"

// send is the one conditional batch: the docket and its lines, or nothing.
func (s *Store) send(ctx context.Context, n draft, was cover) (bool, error) {
	k, ttl := n.docket.Key, s.ttl(n.closed)
	b := s.session.Batch(gocql.LoggedBatch).SerialConsistency(gocql.LocalSerial)
	b.Query(`UPDATE dockets USING TTL ? SET version = ?, stamp = ?, write_id = ?, writes = ?, live = ?, closed = ?, case_ids = ?, doc = ?
		WHERE cluster = ? AND root = ? IF version = ? AND write_id = ?`,
		ttl, n.docket.Version, n.stamp, n.id, was.push(n.id), n.docket.Live(), n.closed, n.caseIDs, n.doc,
		k.Cluster, k.Root, was.expected(), nullable(was.writeID))
	for _, r := range n.rows {
		b.Query(insertLine, k.Cluster, k.Root, r.seq, r.place, r.line, ttl)
	}
	return conditional(ctx, b)
}

// conditional runs a batch with conditions.
func conditional(ctx context.Context, b *gocql.Batch) (bool, error) {
	applied, iter, err := b.MapExecCASContext(ctx, map[string]any{})
	if iter != nil {
		err = errors.Join(err, iter.Close())
	}
	return applied, err
}

// partition is a docket as a target of compare-and-set.
type partition struct {
	s   *Store
	key docket.Key
	ttl int // of what is there
}

func (p partition) fence(ctx context.Context, was head, id gocql.UUID) (bool, error) {
	ttl := p.ttl
	if was.version == 0 {
		ttl = fenceKept
	}
	return p.s.session.Query(`UPDATE dockets USING TTL ? SET write_id = ? WHERE cluster = ? AND root = ? IF version = ? AND write_id = ?`,
		ttl, id, p.key.Cluster, p.key.Root, was.expected(), nullable(was.writeID)).MapScanCASContext(ctx, map[string]any{})
}

func (p partition) serial(ctx context.Context) (head, error) {
	c, err := p.s.cover(ctx, p.key, gocql.LocalSerial)
	return c.head, err
}
