package cassandra

import (
	"context"
	"slices"

	gocql "github.com/apache/cassandra-gocql-driver/v2"

	"github.com/k8guard/k8guard/internal/ledger"
)

const (
	// restoreRows and restoreBytes bound one batch of a long history.
	restoreRows  = 500
	restoreBytes = 1 << 20
	// restoredFor is how long what is past its retention is kept at least, in seconds: an
	// import must find again what it wrote.
	restoredFor = 24 * 60 * 60
)

// restore writes a docket that is not there: its lines first, batch by batch, each on the
// condition that nobody else began, and with the last ones the docket. Until then nobody sees
// it. What an earlier try left of the lines is written again.
func (s *Store) restore(ctx context.Context, d ledger.Dossier) error {
	was, err := s.cover(ctx, d.Docket.Key, gocql.LocalSerial)
	if err = vacant(was.head, err); err != nil {
		return err
	}
	n := draft{docket: d.Docket, stamp: max(s.now().UnixMicro(), was.stamp+1), closed: d.Closed}
	if n.doc, err = s.codec.pack(d.Docket); err != nil {
		return err
	}
	for _, c := range d.Docket.Cases {
		n.caseIDs = append(n.caseIDs, c.ID)
	}
	slices.Sort(n.caseIDs)
	rows, err := restored(d)
	if err != nil {
		return err
	}
	if err := s.announce(ctx, n, was); err != nil {
		return err
	}
	for len(rows) > 0 {
		part := rows[:few(rows)]
		if err := s.restoreLines(ctx, d, &was, part); err != nil {
			return err
		}
		rows = rows[len(part):]
	}
	n.id = gocql.MustRandomUUID()
	t := partition{s, d.Docket.Key, s.keptFor(d.Closed)}
	if err := s.change(ctx, t, was.head, n.id, func(ctx context.Context) (bool, error) { return s.sendFor(ctx, n, was, s.keptFor(d.Closed)) }); err != nil {
		return err
	}
	now := cover{head: head{version: d.Docket.Version, writeID: n.id}, stamp: n.stamp, closed: n.closed, caseIDs: n.caseIDs}
	return s.leaveOpen(ctx, d.Docket.Key, now, d.Docket.Live(), false) // the lines have their deadline
}

// restored numbers the lines anew: below those of any change to come.
func restored(d ledger.Dossier) (all []row, err error) {
	for i, p := range d.Lines {
		r := row{seq: int64(i) + 1, place: p.Place}
		p.Line.Seq = r.seq
		if r.line, err = bounded(p.Line); err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, size(len(all), int(perVersion*min(d.Docket.Version, 1<<20)))
}

// few is how many rows go into one batch.
func few(rows []row) int {
	bytes := 0
	for i, r := range rows {
		if bytes += len(r.line); i == restoreRows || i > 0 && bytes > restoreBytes {
			return i
		}
	}
	return len(rows)
}

func (s *Store) restoreLines(ctx context.Context, d ledger.Dossier, was *cover, rows []row) error {
	k, id := d.Docket.Key, gocql.MustRandomUUID()
	b := s.session.Batch(gocql.LoggedBatch).SerialConsistency(gocql.LocalSerial)
	b.Query("UPDATE dockets USING TTL ? SET write_id = ? WHERE cluster = ? AND root = ? IF version = ? AND write_id = ?",
		fenceKept, id, k.Cluster, k.Root, was.expected(), nullable(was.writeID))
	for _, r := range rows {
		b.Query(insertLine, k.Cluster, k.Root, r.seq, r.place, r.line, s.keptFor(d.Closed))
	}
	applied, err := conditional(ctx, b)
	if err == nil && !applied {
		err = ledger.ErrConflict
	}
	was.writeID = id
	return err
}

// keptFor is the deadline of what was closed then, but not at once.
func (s *Store) keptFor(closed int64) int {
	if ttl := s.ttl(closed); ttl != 0 {
		return max(ttl, restoredFor)
	}
	return 0
}

// restoreRecord writes a record that is not there.
func (s *Store) restoreRecord(ctx context.Context, r ledger.Record) error {
	was, err := s.recordHead(ctx, r.Key, gocql.LocalSerial)
	if err = vacant(was, err); err != nil {
		return err
	}
	return s.writeRecord(ctx, r, r.Version, was)
}
