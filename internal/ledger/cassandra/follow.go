package cassandra

import (
	"context"

	"github.com/k8guard/k8guard/internal/docket"
)

// follow reads what the feed told since the last time, and looks at those dockets.
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
	for key, stamp := range told {
		if old, there := t.waiting[key]; !there || stamp > old.stamp {
			t.waiting[key] = expected{stamp, now}
		}
	}
	if err := l.catchUp(ctx); err != nil {
		return err
	}
	for key, e := range t.waiting {
		if now.Sub(e.since) > l.overlap() {
			delete(t.waiting, key) // its writer lost or died
		}
	}
	t.position = now
	if deep {
		t.deep = now
		return l.keep(ctx, statePosition, now)
	}
	return nil
}

// catchUp looks at all dockets of which a later state was told than the mirror has.
func (l *Ledger) catchUp(ctx context.Context) error {
	var behind []docket.Key
	for key, e := range l.tail.waiting {
		known, err := l.mirror.Known(ctx, key)
		if err != nil {
			return err
		}
		if known.Stamp >= e.stamp {
			delete(l.tail.waiting, key)
			continue
		}
		behind = append(behind, key)
	}
	return l.refresh(ctx, behind...)
}
