package cassandra

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
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

// scanRange looks at the dockets behind one token up to another. Cassandra's own ring begins
// one behind the least number, so that nothing lies at it.
func (l *Ledger) scanRange(ctx context.Context, from, to int64) error {
	rows := l.read("SELECT DISTINCT cluster, root, version, stamp FROM dockets WHERE token(cluster, root) > ? AND token(cluster, root) <= ?", from, to).
		PageSize(scanPage).IterContext(ctx)
	var key docket.Key
	var version, stamp int64
	for rows.Scan(&key.Cluster, &key.Root, &version, &stamp) {
		l.seen.Add(1)
		if version == versionless {
			continue
		}
		known, err := l.mirror.Known(ctx, key)
		if err == nil && known.Stamp < stamp {
			err = l.refresh(ctx, key)
		}
		if err != nil {
			return errors.Join(err, rows.Close())
		}
	}
	return rows.Close()
}

// refresh takes a docket over into the mirror, with the lines that it does not have.
func (l *Ledger) refresh(ctx context.Context, key docket.Key) error {
	d, c, err := l.load(ctx, key)
	if err != nil {
		return fmt.Errorf("load docket %q: %w", key, err)
	}
	if c.version == 0 {
		return nil // announced, not stored yet
	}
	known, err := l.mirror.Known(ctx, key)
	if err != nil || known.Stamp >= c.stamp {
		return err
	}
	after := known.Upto
	if c.version <= known.Version {
		after = 0 // that one was forgotten, and this is a new life
	}
	made := sqlite.Copy{Docket: d, Stamp: c.stamp, Closed: c.closed, Upto: (c.version+1)*perVersion - 1}
	if made.Lines, err = l.placed(ctx, key, after, made.Upto); err != nil {
		return fmt.Errorf("load the history of docket %q: %w", key, err)
	}
	return l.apply(ctx, made, known)
}

// apply stores it unless another one was faster: then its lines may be there already.
func (l *Ledger) apply(ctx context.Context, c sqlite.Copy, base sqlite.Known) error {
	l.applying.Lock()
	defer l.applying.Unlock()
	now, err := l.mirror.Known(ctx, c.Docket.Key)
	if err != nil {
		return err
	}
	if now != base {
		fresh := c.Lines[:0]
		for _, line := range c.Lines {
			if line.Line.Seq > now.Upto {
				fresh = append(fresh, line)
			}
		}
		c.Lines = fresh
	}
	return l.mirror.Apply(ctx, c)
}

// placed reads lines with their places.
func (l *Ledger) placed(ctx context.Context, key docket.Key, after, upto int64) ([]sqlite.PlacedLine, error) {
	rows := l.read("SELECT place, line FROM dockets WHERE cluster = ? AND root = ? AND seq > ? AND seq <= ?", key.Cluster, key.Root, after, upto).
		PageSize(pageRows).IterContext(ctx)
	var all []sqlite.PlacedLine
	var p sqlite.PlacedLine
	var text []byte
	for rows.Scan(&p.Place, &text) {
		p.Line = ledger.Line{}
		if err := json.Unmarshal(text, &p.Line); err != nil {
			return nil, errors.Join(err, rows.Close())
		}
		all = append(all, p)
	}
	return all, rows.Close()
}
