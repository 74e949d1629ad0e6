package cassandra

import (
	"context"
	"errors"
	"slices"
	"time"

	gocql "github.com/apache/cassandra-gocql-driver/v2"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
)

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
	return s.sendFor(ctx, n, was, s.ttl(n.closed))
}

func (s *Store) sendFor(ctx context.Context, n draft, was cover, ttl int) (bool, error) {
	k := n.docket.Key
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
