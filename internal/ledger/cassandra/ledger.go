package cassandra

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/ledger/sqlite"
)

// ErrBuilding says that the mirror does not know everything yet.
var ErrBuilding = errors.New("ledger: the report's mirror is being built")

var _ ledger.Ledger = (*Ledger)(nil)

// Ledger is a [Store] with the report's questions. They are answered by a mirror in a local
// file, which [Ledger.Run] keeps up to date; what this process writes is in it at once.
type Ledger struct {
	*Store
	mirror *sqlite.Mirror
	built  atomic.Bool
	seen   atomic.Int64 // dockets looked at while it is built
	fresh  atomic.Int64 // when the feed was read last, in microseconds
	tail   tail
}

// OpenReport opens a Store and the mirror in this file, which may be absent. The mirror of
// another ledger, or one that cannot be read, is thrown away. Until Run has brought the
// mirror up to date once, questions get [ErrBuilding].
func OpenReport(ctx context.Context, settings Settings, file string) (*Ledger, error) {
	store, err := Open(ctx, settings)
	if err != nil {
		return nil, err
	}
	mirror, err := openMirror(ctx, store, file)
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	l := &Ledger{Store: store, mirror: mirror}
	return l, nil
}

const stateLedger = "ledger"

// openMirror opens the mirror if it is of this ledger and in today's format, or a new one.
func openMirror(ctx context.Context, s *Store, file string) (*sqlite.Mirror, error) {
	m, err := sqlite.OpenMirror(ctx, file, s.now)
	if errors.Is(err, sqlite.ErrLocked) {
		return nil, err
	}
	if err == nil {
		var ours bool
		if ours, err = claim(ctx, m, s.id); ours && err == nil {
			return m, nil
		}
		err = errors.Join(err, m.Close())
	}
	s.log.Warn("the report's mirror is of another ledger, of another version, or broken: it is built anew", "file", file, "err", err)
	for _, name := range []string{file, file + "-wal", file + "-shm"} {
		if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("throw the report's mirror away: %w", err)
		}
	}
	if m, err = sqlite.OpenMirror(ctx, file, s.now); err != nil {
		return nil, err
	}
	if _, err = claim(ctx, m, s.id); err != nil {
		return nil, errors.Join(err, m.Close())
	}
	return m, nil
}

// claim says whose mirror it is, if nothing is said yet, and whether it is ours.
func claim(ctx context.Context, m *sqlite.Mirror, id string) (bool, error) {
	format, err := m.Format(ctx)
	if err != nil {
		return false, err
	}
	ours := fmt.Sprintf("%s in format %d", id, format)
	of, err := m.State(ctx, stateLedger)
	if err != nil || of != "" {
		return of == ours, err
	}
	return true, m.SetState(ctx, stateLedger, ours)
}

// Close ends the connections and closes the mirror. Run must have ended.
func (l *Ledger) Close() error { return errors.Join(l.Store.Close(), l.mirror.Close()) }

// maxBehind is how far the mirror may lie behind and still count as ready.
const maxBehind = time.Minute

// Ping is [Store.Ping], and wants the mirror built and fresh.
func (l *Ledger) Ping(ctx context.Context) error {
	if err := l.Store.Ping(ctx); err != nil {
		return err
	}
	if err := l.ready(); err != nil {
		return err
	}
	if behind := l.Behind(); behind > maxBehind {
		return fmt.Errorf("ledger: the report's mirror is %v behind", behind.Round(time.Second))
	}
	return nil
}

// Behind is how long ago the mirror was brought up to date.
func (l *Ledger) Behind() time.Duration { return l.now().Sub(time.UnixMicro(l.fresh.Load())) }

func (l *Ledger) ready() error {
	if !l.built.Load() {
		return fmt.Errorf("%w: %d dockets so far; it is done by itself", ErrBuilding, l.seen.Load())
	}
	return nil
}

// CompareAndSet implements ledger.Dockets; the mirror has the change when it returns.
func (l *Ledger) CompareAndSet(ctx context.Context, next docket.Docket, entries []docket.Entry) (int64, error) {
	version, err := l.Store.CompareAndSet(ctx, next, entries)
	if err != nil {
		return version, err
	}
	if err := l.refresh(context.WithoutCancel(ctx), next.Key); err != nil {
		l.log.Warn("a change is stored and not yet in the report's mirror", "docket", next.Key.String(), "err", err, "next", "the feed brings it")
	}
	return version, nil
}

// Cases implements ledger.Projections.
func (l *Ledger) Cases(ctx context.Context, q ledger.CaseQuery) (ledger.CasePage, error) {
	return ask(ctx, l, q, l.mirror.Cases)
}

// Lines implements ledger.Projections.
func (l *Ledger) Lines(ctx context.Context, q ledger.LineQuery) (ledger.LinePage, error) {
	return ask(ctx, l, q, l.mirror.Lines)
}

// Due implements ledger.Projections.
func (l *Ledger) Due(ctx context.Context, q ledger.DueQuery) (ledger.DuePage, error) {
	return ask(ctx, l, q, l.mirror.Due)
}

// Owners implements ledger.Projections.
func (l *Ledger) Owners(ctx context.Context, q ledger.OwnerQuery) (ledger.OwnerPage, error) {
	return ask(ctx, l, q, l.mirror.Owners)
}

// Acts implements ledger.Projections.
func (l *Ledger) Acts(ctx context.Context, q ledger.ActQuery) (ledger.ActPage, error) {
	return ask(ctx, l, q, l.mirror.Acts)
}

// Overview implements ledger.Projections.
func (l *Ledger) Overview(ctx context.Context, part ledger.Part) (ledger.Overview, error) {
	return ask(ctx, l, part, l.mirror.Overview)
}

// Position names the state of the mirror for this process: as long as it is the same, so are
// all answers.
func (l *Ledger) Position(ctx context.Context) (string, error) { return l.mirror.Position(ctx) }

// Spaces implements ledger.Projections.
func (l *Ledger) Spaces(ctx context.Context) ([]ledger.Space, error) {
	return ask(ctx, l, struct{}{}, func(ctx context.Context, _ struct{}) ([]ledger.Space, error) { return l.mirror.Spaces(ctx) })
}

func ask[Q, A any](ctx context.Context, l *Ledger, q Q, question func(context.Context, Q) (A, error)) (A, error) {
	if err := l.ready(); err != nil {
		return *new(A), err
	}
	return question(ctx, q)
}
