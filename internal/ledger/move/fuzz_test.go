package move

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
)

// shelf is a source of what a file held.
type shelf struct {
	header   Header
	keys     []docket.Key
	dossiers map[docket.Key]ledger.Dossier
	names    []string
	records  map[string]ledger.Record
}

func (s *shelf) DocketKeys(context.Context) ([]docket.Key, error) { return s.keys, nil }
func (s *shelf) RecordKeys(context.Context) ([]string, error)     { return s.names, nil }
func (s *shelf) Dossier(_ context.Context, k docket.Key) (ledger.Dossier, error) {
	return s.dossiers[k], nil
}
func (s *shelf) Get(_ context.Context, key string) (ledger.Record, error) {
	if key == ledger.IdentityKey && s.header.Ledger != "" {
		return ledger.Record{Key: key, Version: 1, Value: []byte(`{"id":"x","seq":1}`)}, nil
	}
	return s.records[key], nil
}

// FuzzRead takes any file. Either it says the line that is wrong, or what it read makes a
// file that is read the same.
func FuzzRead(f *testing.F) {
	d := docket.Docket{Key: docket.Key{Cluster: "k", Root: "r"}, Version: 3}
	from := &shelf{keys: []docket.Key{d.Key}, names: []string{"budget/k"},
		dossiers: map[docket.Key]ledger.Dossier{d.Key: {Docket: d, Lines: []ledger.Placed{{Place: 7, Line: ledger.LineOf(d, docket.Entry{Kind: docket.EntrySeen, Text: "<seen>"})}}}},
		records:  map[string]ledger.Record{"budget/k": {Key: "budget/k", Version: 2, Value: []byte{0xff}}}}
	var good bytes.Buffer
	if _, err := Export(f.Context(), from, &good, nil); err != nil {
		f.Fatal(err)
	}
	f.Add(good.Bytes())
	f.Add([]byte("{}\n"))
	f.Add([]byte(strings.ReplaceAll(good.String(), `"lines":1`, `"lines":9223372036854775807`)))
	f.Fuzz(func(t *testing.T, text []byte) {
		read := func(text []byte) (*shelf, End, error) {
			s := &shelf{dossiers: map[docket.Key]ledger.Dossier{}, records: map[string]ledger.Record{}}
			end, err := readFrom("file", bytes.NewReader(text), visit{header: func(h Header) error { s.header = h; return nil },
				docket: func(d ledger.Dossier) error {
					s.keys, s.dossiers[d.Docket.Key] = append(s.keys, d.Docket.Key), d
					return nil
				},
				record: func(r ledger.Record) error { s.names, s.records[r.Key] = append(s.names, r.Key), r; return nil }})
			return s, end, err
		}
		s, end, err := read(text)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "file:") {
				t.Fatalf("the error names no line: %v", err)
			}
			return
		}
		var again bytes.Buffer
		if _, err := Export(t.Context(), s, &again, nil); err != nil {
			t.Fatal(err)
		}
		if _, other, err := read(again.Bytes()); err != nil || other.Counts != end.Counts {
			t.Fatalf("%+v, %v; first %+v", other, err, end)
		}
	})
}
