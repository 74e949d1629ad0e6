package cassandra

import (
	"context"
	"fmt"
	"time"

	gocql "github.com/apache/cassandra-gocql-driver/v2"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
)

const (
	maxTTL    = 20 * 365 * 24 * 60 * 60 // Cassandra's own bound, in seconds
	pageRows  = 50                      // each may be 2 MB
	pageBytes = 1 << 20
)

// ttl is how many seconds are left of what has been closed since then; 0 is for ever. What
// is past it has a minute: 0 would keep it.
func (s *Store) ttl(closed int64) int {
	if closed == 0 || s.settings.Retention == 0 {
		return 0
	}
	left := time.UnixMicro(closed).Add(s.settings.Retention).Sub(s.now())
	return min(max(int(left.Seconds()), 60), maxTTL)
}

// keepLines takes the deadline away from the lines of a docket that is about to be opened
// again, before it is: a crash in between leaves lines that stay, never one that goes.
func (s *Store) keepLines(ctx context.Context, key docket.Key, was *cover) error {
	if err := s.rewrite(ctx, key, was, 0); err != nil {
		return fmt.Errorf("keep its history: %w", err)
	}
	return nil
}

// rewrite writes a docket's lines again with another deadline, a batch at a time, each on
// the condition that nothing else changed the docket. It moves the write ID in was on.
func (s *Store) rewrite(ctx context.Context, key docket.Key, was *cover, ttl int) error {
	for after := int64(-1); ; {
		page, err := s.page(ctx, key, after)
		if err != nil || len(page) == 0 {
			return err
		}
		id := gocql.MustRandomUUID()
		b := s.session.Batch(gocql.LoggedBatch).SerialConsistency(gocql.LocalSerial)
		b.Query("UPDATE dockets USING TTL ? SET write_id = ? WHERE cluster = ? AND root = ? IF version = ? AND write_id = ?",
			s.ttl(was.closed), id, key.Cluster, key.Root, was.expected(), nullable(was.writeID))
		for _, r := range page {
			b.Query(insertLine, key.Cluster, key.Root, r.seq, r.place, r.line, ttl)
			after = r.seq
		}
		applied, err := conditional(ctx, b)
		if err != nil {
			return err
		}
		if !applied {
			return ledger.ErrConflict
		}
		was.writeID = id
	}
}

// page reads some lines behind a number.
func (s *Store) page(ctx context.Context, key docket.Key, after int64) (page []row, err error) {
	rows := s.read("SELECT seq, place, line FROM dockets WHERE cluster = ? AND root = ? AND seq > ? LIMIT ?", key.Cluster, key.Root, after, pageRows).
		IterContext(ctx)
	var r row
	for bytes := 0; bytes < pageBytes && rows.Scan(&r.seq, &r.place, &r.line); bytes += len(r.line) {
		page = append(page, r)
		r = row{}
	}
	return page, rows.Close()
}

// dateLines gives the lines of a docket that is over the same deadline as the docket has.
func (s *Store) dateLines(ctx context.Context, key docket.Key, was cover) error {
	if s.settings.Retention == 0 {
		return nil
	}
	if err := s.rewrite(ctx, key, &was, s.ttl(was.closed)); err != nil {
		return fmt.Errorf("give the history of docket %q its deadline: %w", key, err)
	}
	return nil
}
