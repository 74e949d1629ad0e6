package move

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"slices"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
)

// Progress is told how far it is; nil is nobody.
type Progress func(what string, n, of int)

func (p Progress) tell(what string, n, of int) {
	if p != nil {
		p(what, n, of)
	}
}

// Export writes a whole ledger.
func Export(ctx context.Context, from ledger.Source, to io.Writer, progress Progress) (End, error) {
	if err := ledger.Whole(ctx, records{from}); err != nil {
		return End{}, err
	}
	sum, out := sha256.New(), bufio.NewWriterSize(to, 64<<10)
	w := io.MultiWriter(out, sum)
	keys, err := from.DocketKeys(ctx)
	if err != nil {
		return End{}, err
	}
	names, err := from.RecordKeys(ctx)
	if err != nil {
		return End{}, err
	}
	names = slices.DeleteFunc(names, special)
	id, err := ledger.Read[ledger.Identity](ctx, records{from}, ledger.IdentityKey)
	if err != nil {
		return End{}, err
	}
	if err := write(w, entry{Header: &Header{Kind: kind, Format: Format, Ledger: id.ID, Sequence: id.Seq, Dockets: len(keys), Records: len(names)}}); err != nil {
		return End{}, err
	}
	var end End
	if err := exportDockets(ctx, from, w, keys, &end.Counts, progress); err != nil {
		return End{}, err
	}
	if err := exportRecords(ctx, from, w, names, &end.Counts, progress); err != nil {
		return End{}, err
	}
	end.SHA256 = hex.EncodeToString(sum.Sum(nil))
	if err := write(w, entry{End: &end}); err != nil {
		return End{}, err
	}
	return end, out.Flush()
}

func exportDockets(ctx context.Context, from ledger.Source, w io.Writer, keys []docket.Key, counts *Counts, progress Progress) error {
	for i, key := range keys {
		progress.tell("dockets", i, len(keys))
		d, err := from.Dossier(ctx, key)
		if err != nil {
			return err
		}
		if d.Docket.Version == 0 { // its retention ended meanwhile
			continue
		}
		if d.Docket.Key != key {
			return fmt.Errorf("docket %q says that it is %q", key, d.Docket.Key)
		}
		if err := writeDossier(w, d); err != nil {
			return err
		}
		counts.Dockets++
		counts.Lines += len(d.Lines)
	}
	return nil
}

func exportRecords(ctx context.Context, from ledger.Source, w io.Writer, names []string, counts *Counts, progress Progress) error {
	for i, name := range names {
		progress.tell("records", i, len(names))
		r, err := from.Get(ctx, name)
		if err != nil {
			return err
		}
		if r.Version == 0 {
			continue
		}
		if err := write(w, entry{Record: recordOf(r)}); err != nil {
			return err
		}
		counts.Records++
	}
	return nil
}

// records lets a source be read as records are.
type records struct{ ledger.Source }

// Put implements ledger.Records: a source is only read.
func (records) Put(context.Context, ledger.Record) (int64, error) { return 0, ledger.ErrConflict }
