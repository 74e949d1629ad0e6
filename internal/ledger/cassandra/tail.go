package cassandra

import (
	"context"
	"strconv"
	"time"
)

const (
	pollEvery  = time.Second
	deepEvery  = 5 * time.Second
	scanEvery  = 24 * time.Hour
	pruneEvery = time.Hour
	// glance is how far a poll looks back behind the one before; every deepEvery one looks
	// back as far as a slow writer may be behind its entry in the feed.
	glance        = 5 * time.Second
	statePosition = "position"
	stateScanned  = "scanned"
)

// tail is where the mirror is in the feed. Only Run uses it.
type tail struct {
	position time.Time // what was told until then was read
	deep     time.Time // the last look far back
	scanned  time.Time // the last look at every docket
	pruned   time.Time
}

// overlap is how long after its entry in the feed a change may come: its writer announces,
// keeps the lines, sends, and settles.
func (l *Ledger) overlap() time.Duration { return time.Minute + skew + 6*l.settings.Timeout }

// Run keeps the mirror up to date until ctx ends. It builds it first if it must. What goes
// wrong is logged and tried again; [Ledger.Ping] tells of it.
func (l *Ledger) Run(ctx context.Context) {
	l.resume(ctx)
	for wait := pollEvery; ; {
		err := l.step(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			wait = min(2*wait, 30*time.Second)
			l.log.Warn("the report's mirror was not brought up to date", "err", err, "next", "trying again", "in", wait)
		default:
			wait = pollEvery
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

// resume reads where an earlier process was. What it cannot read is done anew.
func (l *Ledger) resume(ctx context.Context) {
	for key, at := range map[string]*time.Time{statePosition: &l.tail.position, stateScanned: &l.tail.scanned} {
		text, err := l.mirror.State(ctx, key)
		if n, bad := strconv.ParseInt(text, 10, 64); err == nil && bad == nil {
			*at = time.UnixMicro(n)
		}
	}
}

func (l *Ledger) keep(ctx context.Context, key string, at time.Time) error {
	return l.mirror.SetState(ctx, key, strconv.FormatInt(at.UnixMicro(), 10))
}

// step is one round: scan if it must, read the feed, forget what is past its retention.
func (l *Ledger) step(ctx context.Context) error {
	now := l.now()
	t := &l.tail
	if now.Sub(t.position) > feedKept-time.Hour || now.Sub(t.scanned) > scanEvery {
		if err := l.scan(ctx); err != nil {
			return err
		}
		// What was told while it was scanned is read after it.
		t.position, t.scanned, t.deep = now, now, time.Time{}
		if err := l.keep(ctx, stateScanned, now); err != nil {
			return err
		}
	}
	if err := l.follow(ctx); err != nil {
		return err
	}
	l.fresh.Store(now.UnixMicro())
	if l.built.CompareAndSwap(false, true) {
		l.log.Info("the report's mirror is up to date", "dockets", l.seen.Load())
	}
	return l.prune(ctx, now)
}

// prune forgets what Cassandra has forgotten a day ago. The notices that only that spoke of
// go from Cassandra, too: a record has no deadline of its own, for it may serve many dockets.
func (l *Ledger) prune(ctx context.Context, now time.Time) error {
	if l.settings.Retention == 0 || now.Sub(l.tail.pruned) < pruneEvery {
		return nil
	}
	before := now.Add(-l.settings.Retention - 24*time.Hour)
	keys, err := l.mirror.Past(ctx, before)
	if err != nil {
		return err
	}
	for _, key := range keys {
		if err := l.forget(ctx, key); err != nil {
			return err
		}
	}
	more, err := l.mirror.Prune(ctx, before)
	if err == nil && !more {
		l.tail.pruned = now
	}
	return err
}
