package cassandra

import (
	"context"

	"github.com/k8guard/k8guard/internal/docket"
)

// follow reads what the feed told since the last time, and looks at those dockets of which a
// later state was told than the mirror has. Its writer may have lost, or may yet win: it is
// looked at again as long as the feed is read so far back.
func (l *Ledger) follow(ctx context.Context) error {
	t, now := &l.tail, l.now()
	since, deep := t.position.Add(-glance), now.Sub(t.deep) >= deepEvery
	if deep {
		since = t.position.Add(-l.overlap())
	}
	told, err := l.told(ctx, since)
	if err != nil {
		return err
	}
	var behind []docket.Key
	for key, stamp := range told {
		known, err := l.mirror.Known(ctx, key)
		if err != nil {
			return err
		}
		if known.Stamp < stamp {
			behind = append(behind, key)
		}
	}
	if err := l.refresh(ctx, behind...); err != nil {
		return err
	}
	t.position = now
	if !deep {
		return nil
	}
	t.deep = now
	return l.keep(ctx, statePosition, now)
}
