package cassandra

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/ledger/sqlite"
)

const (
	ranges      = 256 // of the ring
	rangesRead  = 4   // at once
	scanPage    = 1000
	together    = 16 // dockets, loaded at once and stored in one transaction
	tellEvery   = 10 * time.Second
	versionless = 0 // fenced, not stored
)

// scan compares the mirror with every docket there is.
func (l *Ledger) scan(ctx context.Context) error {
	began := l.now()
	l.seen.Store(0)
	l.log.Info("the report's mirror looks at every docket")
	var done atomic.Int64
	var told atomic.Int64
	told.Store(began.Unix())
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(rangesRead)
	for i := range ranges {
		group.Go(func() error {
			err := l.scanRange(ctx, bound(i), bound(i+1))
			n := done.Add(1)
			if last, now := told.Load(), l.now().Unix(); now-last >= int64(tellEvery.Seconds()) && told.CompareAndSwap(last, now) {
				l.log.Info("the report's mirror looks at every docket", "part", n, "of", ranges, "dockets", l.seen.Load())
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("look at every docket: %w", err)
	}
	l.log.Info("the report's mirror has looked at every docket", "dockets", l.seen.Load(), "took", l.now().Sub(began).Round(time.Millisecond))
	return nil
}

// bound is the end of the i-th part of the ring; of the first, before its beginning.
func bound(i int) int64 {
	whole := new(big.Int).Lsh(big.NewInt(1), 64)
	at := whole.Mul(whole, big.NewInt(int64(i))).Div(whole, big.NewInt(ranges))
	at.Add(at, big.NewInt(math.MinInt64))
	if !at.IsInt64() {
		return math.MaxInt64
	}
	return at.Int64()
}

// scanRange looks at the dockets behind one token up to another. Nothing lies at the least one.
func (l *Ledger) scanRange(ctx context.Context, from, to int64) error {
	rows := l.read("SELECT DISTINCT cluster, root, version, stamp FROM dockets WHERE token(cluster, root) > ? AND token(cluster, root) <= ?", from, to).
		PageSize(scanPage).IterContext(ctx)
	var key docket.Key
	var version, stamp int64
	var behind []docket.Key
	for rows.Scan(&key.Cluster, &key.Root, &version, &stamp) {
		l.seen.Add(1)
		known, err := l.mirror.Known(ctx, key)
		if version != versionless && err == nil && known.Stamp < stamp {
			behind = append(behind, key)
		}
		if len(behind) == together && err == nil {
			err = l.refresh(ctx, behind...)
			behind = behind[:0]
		}
		if err != nil {
			return errors.Join(err, rows.Close())
		}
	}
	if err := rows.Close(); err != nil {
		return err
	}
	return l.refresh(ctx, behind...)
}

// refresh takes dockets over into the mirror, with the lines that it does not have.
func (l *Ledger) refresh(ctx context.Context, keys ...docket.Key) error {
	for part := range slices.Chunk(keys, together) {
		copies := make([]*sqlite.Copy, len(part))
		group, within := errgroup.WithContext(ctx)
		for i, key := range part {
			group.Go(func() (err error) {
				copies[i], err = l.fetch(within, key)
				if errors.Is(err, errBroken) { // it must not hold up the others
					l.log.Error("a docket is left out of the report's mirror", "docket", key.String(), "err", err)
					return nil
				}
				return err
			})
		}
		if err := group.Wait(); err != nil {
			return err
		}
		var newer []sqlite.Copy
		for _, c := range copies {
			if c != nil {
				newer = append(newer, *c)
			}
		}
		if err := l.mirror.Apply(ctx, newer...); err != nil {
			return err
		}
	}
	return nil
}

// fetch loads what the mirror lacks of a docket; nil if nothing.
func (l *Ledger) fetch(ctx context.Context, key docket.Key) (*sqlite.Copy, error) {
	d, c, err := l.load(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("load docket %q: %w", key, err)
	}
	known, err := l.mirror.Known(ctx, key)
	if err != nil || known.Stamp >= c.stamp || c.version == versionless {
		return nil, err
	}
	after := known.Upto
	if c.version <= known.Version {
		after = 0 // that one was forgotten, and this is a new life
	}
	made := &sqlite.Copy{Docket: d, Stamp: c.stamp, Closed: c.closed, Upto: (c.version+1)*perVersion - 1}
	if made.Lines, err = l.placedLines(ctx, key, after, made.Upto); err != nil {
		return nil, fmt.Errorf("load the history of docket %q: %w", key, err)
	}
	return made, nil
}

// placedLines reads lines with their places.
func (s *Store) placedLines(ctx context.Context, key docket.Key, after, upto int64) ([]sqlite.PlacedLine, error) {
	rows := s.read("SELECT place, line FROM dockets WHERE cluster = ? AND root = ? AND seq > ? AND seq <= ?", key.Cluster, key.Root, after, upto).
		PageSize(pageRows).IterContext(ctx)
	var all []sqlite.PlacedLine
	var p sqlite.PlacedLine
	var text []byte
	for rows.Scan(&p.Place, &text) {
		p.Line = ledger.Line{}
		if err := decode(text, &p.Line); err != nil {
			return nil, errors.Join(err, rows.Close())
		}
		all = append(all, p)
	}
	return all, rows.Close()
}
