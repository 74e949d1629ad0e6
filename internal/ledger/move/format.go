// Package move carries a ledger from one store to another, by a file.
//
// Purpose: from SQLite to Cassandra or back, with every docket, its history, and every
// record (notices, outboxes, budgets, switches), versions included.
//
// Concurrency: one call works on one file and one ledger.
//
// Guarantees: a file is JSON, one line for each thing, sorted, with a count and a SHA-256 at
// its end; what is cut off, changed or of another format is refused before anything is
// written. An import fills an empty ledger only, or goes on with one that the same file
// filled in part, after kill -9 too; it reads everything back. The copy gets an identity of
// its own: where another ledger was at work, nothing is told or done until a person decides.
//
// It will not: merge two ledgers, move one on which somebody works (stop the services), or
// carry the report's mirror, which is made anew.
package move

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
)

// Format is the version of the file.
const Format = 1

const kind = "k8guard-ledger"

// Header is the first line. Its counts are of the beginning; the end has those that hold.
type Header struct {
	Kind     string `json:"kind"`
	Format   int    `json:"format"`
	Ledger   string `json:"ledger"`   // the ledger's identity; empty if it never led to an act
	Sequence int64  `json:"sequence"` // how often it did
	Dockets  int    `json:"dockets"`
	Records  int    `json:"records"`
}

// Counts is how much there is.
type Counts struct {
	Dockets int `json:"dockets"`
	Lines   int `json:"lines"`
	Records int `json:"records"`
}

// End is the last line: the counts, and the SHA-256 of every byte before it.
type End struct {
	Counts
	SHA256 string `json:"sha256"`
}

// entry is one line of the file; one of its fields is set.
type entry struct {
	Header *Header    `json:"header,omitempty"`
	Docket *docketRow `json:"docket,omitempty"`
	Line   *lineRow   `json:"line,omitempty"`
	Record *recordRow `json:"record,omitempty"`
	End    *End       `json:"end,omitempty"`
}

// docketRow is followed by so many lines.
type docketRow struct {
	Closed int64         `json:"closed"`
	Lines  int           `json:"lines"`
	Doc    docket.Docket `json:"doc"`
}

type lineRow struct {
	Place int64       `json:"place"`
	Doc   ledger.Line `json:"doc"`
}

// recordRow has its value as text, or in base64 where it is none.
type recordRow struct {
	Key     string `json:"key"`
	Version int64  `json:"version"`
	Text    string `json:"text,omitempty"`
	Base64  string `json:"base64,omitempty"`
}

func recordOf(r ledger.Record) *recordRow {
	row := &recordRow{Key: r.Key, Version: r.Version}
	if utf8.Valid(r.Value) {
		row.Text = string(r.Value)
	} else {
		row.Base64 = base64.StdEncoding.EncodeToString(r.Value)
	}
	return row
}

func (r recordRow) record() (ledger.Record, error) {
	value := []byte(r.Text)
	if r.Base64 != "" {
		var err error
		if value, err = base64.StdEncoding.Strict().DecodeString(r.Base64); err != nil || r.Text != "" {
			return ledger.Record{}, errors.New("its value is no base64, or is there twice")
		}
	}
	if r.Key == "" || r.Version < 1 {
		return ledger.Record{}, errors.New("it has no key or no version")
	}
	if special(r.Key) {
		return ledger.Record{}, fmt.Errorf("record %q is of a ledger itself, and never moves", r.Key)
	}
	return ledger.Record{Key: r.Key, Version: r.Version, Value: value}, nil
}

// special is a record that each ledger has of its own.
func special(key string) bool { return key == ledger.IdentityKey || key == ledger.MoveKey }

// writeDossier writes a docket and its lines.
func writeDossier(w io.Writer, d ledger.Dossier) error {
	if err := write(w, entry{Docket: &docketRow{Closed: d.Closed, Lines: len(d.Lines), Doc: d.Docket}}); err != nil {
		return err
	}
	for _, l := range d.Lines {
		if err := write(w, entry{Line: &lineRow{Place: l.Place, Doc: l.Line}}); err != nil {
			return err
		}
	}
	return nil
}

func write(w io.Writer, e entry) error {
	text, err := json.Marshal(e)
	if err == nil {
		_, err = w.Write(append(text, '\n'))
	}
	return err
}

// same reports whether two dockets are one, wherever their lines lie among those of others:
// of two that have one place, a store of one writer moves one on.
func same(a, b ledger.Dossier) (bool, error) {
	one, err := flat(a)
	if err != nil {
		return false, err
	}
	other, err := flat(b)
	return bytes.Equal(one, other), err
}

func flat(d ledger.Dossier) ([]byte, error) {
	var text bytes.Buffer
	lines := make([]ledger.Placed, 0, len(d.Lines))
	for _, l := range d.Lines {
		lines = append(lines, ledger.Placed{Line: l.Line})
	}
	d.Lines = lines
	err := writeDossier(&text, d)
	return text.Bytes(), err
}

func sameRecord(a, b ledger.Record) bool {
	return a.Key == b.Key && a.Version == b.Version && bytes.Equal(a.Value, b.Value)
}
