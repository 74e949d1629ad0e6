package move

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
)

// maxLine bounds a line: a docket has 2 MB at most, and JSON in JSON grows.
const maxLine = 16 << 20

const again = "export the ledger again"

// reader reads a file's lines one by one.
type reader struct {
	in   *bufio.Reader
	sum  hash.Hash
	line int
}

// visit is called for each thing in the file, in its order.
type visit struct {
	header func(Header) error
	docket func(ledger.Dossier) error
	record func(ledger.Record) error
}

// read reads a file to its end and checks all of it. An error names the file and the line.
func read(name string, v visit) (end End, err error) {
	file, err := os.Open(name)
	if err != nil {
		return End{}, err
	}
	defer func() { _ = file.Close() }()
	return readFrom(name, file, v)
}

func readFrom(name string, from io.Reader, v visit) (end End, err error) {
	r := &reader{in: bufio.NewReaderSize(from, 64<<10), sum: sha256.New()}
	if end, err = r.all(v); err != nil {
		return End{}, fmt.Errorf("%s:%d: %w", name, max(r.line, 1), err)
	}
	return end, nil
}

func (r *reader) all(v visit) (End, error) {
	first, err := r.next()
	if err != nil {
		return End{}, err
	}
	switch h := first.Header; {
	case h == nil || h.Kind != kind:
		return End{}, errors.New("this is no ledger that \"k8guard ledger export\" wrote")
	case h.Format != Format:
		return End{}, fmt.Errorf("it has format %d, and this K8Guard reads format %d: use the version that wrote it", h.Format, Format)
	}
	if err := v.header(*first.Header); err != nil {
		return End{}, err
	}
	var counts Counts
	var lastDocket docket.Key
	lastRecord := ""
	for {
		before := r.sum.Sum(nil)
		e, err := r.next()
		switch {
		case err != nil:
			return End{}, err
		case e.Docket != nil && counts.Records == 0:
			if err := r.docket(*e.Docket, &lastDocket, &counts, v); err != nil {
				return End{}, err
			}
		case e.Record != nil:
			record, err := e.Record.record()
			if err == nil && record.Key <= lastRecord {
				err = fmt.Errorf("record %q is not in order; %s", record.Key, again)
			}
			if err == nil {
				err = v.record(record)
			}
			if err != nil {
				return End{}, err
			}
			lastRecord = record.Key
			counts.Records++
		case e.End != nil:
			return *e.End, r.ended(*e.End, counts, before)
		default:
			return End{}, errors.New("this line does not belong here; " + again)
		}
	}
}

// docket reads a docket's lines and hands all of it on.
func (r *reader) docket(row docketRow, last *docket.Key, counts *Counts, v visit) error {
	key := row.Doc.Key
	switch {
	case key.Cluster == "" || key.Root == "" || row.Doc.Version < 1 || row.Lines < 0 || row.Closed < 0:
		return errors.New("this docket has no key or no version, or a number below zero; " + again)
	case key.Cluster < last.Cluster || key.Cluster == last.Cluster && key.Root <= last.Root:
		return fmt.Errorf("docket %q is not in order; %s", key, again)
	}
	d := ledger.Dossier{Docket: row.Doc, Closed: row.Closed}
	for range row.Lines {
		e, err := r.next()
		if err != nil {
			return err
		}
		if e.Line == nil || e.Line.Doc.Docket != key || e.Line.Doc.Seq != 0 || e.Line.Place < 0 {
			return fmt.Errorf("docket %q has %d lines, and this is none of them; %s", key, row.Lines, again)
		}
		d.Lines = append(d.Lines, ledger.Placed{Place: e.Line.Place, Line: e.Line.Doc})
	}
	*last = key
	counts.Dockets++
	counts.Lines += row.Lines
	return v.docket(d)
}

func (r *reader) ended(end End, counts Counts, sum []byte) error {
	switch {
	case end.Counts != counts:
		return fmt.Errorf("it has %+v, and its end says %+v: it was changed or cut; %s", counts, end.Counts, again)
	case end.SHA256 != hex.EncodeToString(sum):
		return errors.New("its SHA-256 is another than its end says: it was changed; " + again)
	}
	if _, err := r.in.ReadByte(); !errors.Is(err, io.EOF) {
		return errors.New("something follows its end; " + again)
	}
	return nil
}
