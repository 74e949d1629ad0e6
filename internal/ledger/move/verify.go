package move

import (
	"context"
	"fmt"
	"slices"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
)

// verify reads everything back and holds it against the file, docket by docket.
func (f *filler) verify(ctx context.Context) error {
	dockets, err := f.to.DocketKeys(ctx)
	if err != nil {
		return err
	}
	records, err := f.to.RecordKeys(ctx)
	if err != nil {
		return err
	}
	records = slices.DeleteFunc(records, special)
	var i, j int
	_, err = read(f.name, visit{header: func(Header) error { return nil },
		docket: func(d ledger.Dossier) error {
			f.options.Progress.tell("dockets verified", i, f.end.Dockets)
			i++
			return f.verifyDocket(ctx, d, dockets, i-1)
		},
		record: func(r ledger.Record) error {
			have, err := f.to.Get(ctx, r.Key)
			if err == nil && (j >= len(records) || records[j] != r.Key || !sameRecord(have, r)) {
				err = fmt.Errorf("record %q is not in the ledger as it is in the file; begin with an empty one", r.Key)
			}
			j++
			return err
		}})
	if err == nil && (i != len(dockets) || j != len(records)) {
		err = fmt.Errorf("the ledger has %d dockets and %d records, the file %d and %d: somebody works on it; begin with an empty one", len(dockets), len(records), i, j)
	}
	return err
}

func (f *filler) verifyDocket(ctx context.Context, d ledger.Dossier, keys []docket.Key, i int) error {
	have, err := f.to.Dossier(ctx, d.Docket.Key)
	if err != nil {
		return err
	}
	equal, err := same(have, d)
	if err == nil && (!equal || i >= len(keys) || keys[i] != d.Docket.Key) {
		err = fmt.Errorf("docket %q is not in the ledger as it is in the file; begin with an empty one", d.Docket.Key)
	}
	return err
}
