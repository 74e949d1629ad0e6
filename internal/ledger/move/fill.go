package move

import (
	"context"
	"errors"
	"fmt"

	"github.com/k8guard/k8guard/internal/ledger"
)

// together is how many dockets or records are written at once, togetherLines how many lines.
const (
	together      = 64
	togetherLines = 5000
)

func (f *filler) docket(ctx context.Context, d ledger.Dossier) error {
	f.dockets, f.lines = append(f.dockets, d), f.lines+len(d.Lines)
	if len(f.dockets) < together && f.lines < togetherLines {
		return nil
	}
	return f.flushDockets(ctx)
}

func (f *filler) flushDockets(ctx context.Context) error {
	missing := f.dockets
	if f.resumed {
		missing = nil
		for _, d := range f.dockets {
			have, err := f.to.Dossier(ctx, d.Docket.Key)
			if err != nil {
				return err
			}
			if have.Docket.Version == 0 {
				missing = append(missing, d)
				continue
			}
			if equal, err := same(have, d); err != nil || !equal {
				return errors.Join(err, fmt.Errorf("docket %q is there and is another: somebody works on the ledger; begin with an empty one", d.Docket.Key))
			}
		}
	}
	if len(missing) > 0 {
		if err := f.to.Restore(ctx, missing...); err != nil {
			return err
		}
	}
	f.done.Dockets += len(f.dockets)
	f.done.Lines += f.lines
	f.dockets, f.lines = nil, 0
	f.options.Progress.tell("dockets", f.done.Dockets, f.end.Dockets)
	return nil
}

func (f *filler) record(ctx context.Context, r ledger.Record) error {
	if f.records = append(f.records, r); len(f.records) < together {
		return nil
	}
	return f.flushRecords(ctx)
}

func (f *filler) flushRecords(ctx context.Context) error {
	missing := f.records
	if f.resumed {
		missing = nil
		for _, r := range f.records {
			have, err := f.to.Get(ctx, r.Key)
			switch {
			case err != nil:
				return err
			case have.Version == 0:
				missing = append(missing, r)
			case !sameRecord(have, r):
				return fmt.Errorf("record %q is there and is another: somebody works on the ledger; begin with an empty one", r.Key)
			}
		}
	}
	if len(missing) > 0 {
		if err := f.to.RestoreRecords(ctx, missing...); err != nil {
			return err
		}
	}
	f.done.Records += len(f.records)
	f.records = nil
	f.options.Progress.tell("records", f.done.Records, f.end.Records)
	return nil
}
