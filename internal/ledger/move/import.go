package move

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/k8guard/k8guard/internal/ledger"
)

// ErrNotEmpty says that a ledger has something that the file did not bring.
var ErrNotEmpty = errors.New("the ledger is not empty")

// Result is what an import did.
type Result struct {
	Counts
	ID       string `json:"ledger"` // the ledger's new identity
	From     string `json:"from"`   // the identity of the ledger that was exported
	Resumed  bool   `json:"resumed"`
	Verified bool   `json:"verified"`
}

// Options of an import.
type Options struct {
	// Verify reads everything back before the ledger counts as whole.
	Verify   bool
	Now      func() time.Time
	Progress Progress
}

// Import fills a ledger from a file.
func Import(ctx context.Context, name string, to ledger.Target, o Options) (Result, error) {
	var header Header
	end, err := read(name, visit{header: func(h Header) error { header = h; return nil },
		docket: func(ledger.Dossier) error { return ctx.Err() }, record: func(ledger.Record) error { return ctx.Err() }})
	if err != nil {
		return Result{}, err
	}
	f := &filler{name: name, to: to, options: o, header: header, end: end}
	return f.run(ctx)
}

// filler is one import.
type filler struct {
	name    string
	to      ledger.Target
	options Options
	header  Header
	end     End
	moved   ledger.Move
	resumed bool
	done    Counts
	dockets []ledger.Dossier // not written yet
	lines   int              // theirs
	records []ledger.Record
}

func (f *filler) run(ctx context.Context) (Result, error) {
	if err := f.claim(ctx); err != nil {
		return Result{}, err
	}
	if _, err := read(f.name, visit{header: func(Header) error { return nil },
		docket: func(d ledger.Dossier) error { return f.docket(ctx, d) }, record: func(r ledger.Record) error { return f.record(ctx, r) }}); err != nil {
		return Result{}, err
	}
	last := []func(context.Context) error{f.flushDockets, f.flushRecords, f.identify}
	if f.options.Verify {
		last = append(last, f.verify)
	}
	for _, step := range last {
		if err := step(ctx); err != nil {
			return Result{}, err
		}
	}
	f.moved.Done = f.options.Now().UTC()
	_, err := ledger.UpdateRecord(ctx, f.to, ledger.MoveKey, func(m *ledger.Move) (bool, error) { *m = f.moved; return true, nil })
	return Result{Counts: f.done, ID: f.moved.ID, From: f.moved.From, Resumed: f.resumed, Verified: f.options.Verify}, err
}

// claim says in the ledger that this file fills it, or finds that it began before.
func (f *filler) claim(ctx context.Context) (err error) {
	have, err := ledger.Read[ledger.Move](ctx, f.to, ledger.MoveKey)
	if err != nil {
		return err
	}
	if f.resumed = have.SHA256 == f.end.SHA256 && have.Done.IsZero(); f.resumed {
		f.moved = have
		return nil
	}
	if have.SHA256 != "" && have.Done.IsZero() {
		return fmt.Errorf("%w: an import of another file (SHA-256 %.12s…) was begun at %s; go on with that one, or begin with an empty ledger", ErrNotEmpty, have.SHA256, have.At.Format(time.RFC3339))
	}
	dockets, err := f.to.DocketKeys(ctx)
	if err != nil {
		return err
	}
	records, err := f.to.RecordKeys(ctx)
	if err != nil {
		return err
	}
	if len(dockets)+len(records) > 0 {
		return fmt.Errorf("%w: it has %d dockets and %d records; an import fills an empty one only: name another data.dir, or another keyspace", ErrNotEmpty, len(dockets), len(records))
	}
	f.moved, err = ledger.UpdateRecord(ctx, f.to, ledger.MoveKey, func(m *ledger.Move) (bool, error) {
		if m.SHA256 != "" {
			return false, fmt.Errorf("%w: another import began just now", ErrNotEmpty)
		}
		*m = ledger.Move{From: f.header.Ledger, SHA256: f.end.SHA256, ID: uuid.NewString(), At: f.options.Now().UTC()}
		return true, nil
	})
	return err
}

// identify gives the ledger its own name, with the count of the other's acts.
func (f *filler) identify(ctx context.Context) error {
	_, err := ledger.UpdateRecord(ctx, f.to, ledger.IdentityKey, func(i *ledger.Identity) (bool, error) {
		if i.ID == f.moved.ID {
			return false, nil
		}
		if i.ID != "" {
			return false, fmt.Errorf("the ledger was at work already (as %s): somebody works on it; begin with an empty one", i.ID)
		}
		*i = ledger.Identity{ID: f.moved.ID, Seq: f.header.Sequence}
		return true, nil
	})
	return err
}
