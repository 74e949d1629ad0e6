package sqlite

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
)

// FuzzSearch stores a tenant's text and asks with a reader's: no query may fail, none may
// find what has not one of its words, and each plain word of a text finds it.
func FuzzSearch(f *testing.F) {
	for _, pair := range [][2]string{
		{"nginx:latest", "nginx"}, {"a\" OR body:*", "\" OR \""}, {"x", "NEAR(a b, 2)"}, {"x", "body : x"}, {"x", "^x"}, {"x", "x*"}, {"x", "-x AND NOT"},
		{"\x00\xff", "\x00"}, {"(", ")"}, {"'; DROP TABLE history; --", "'; DROP TABLE history; --"}, {"Größe", "größe"}, {"a+b", "a+b"}, {"{}", "{body rule}: x"},
	} {
		f.Add(pair[0], pair[1])
	}
	l, err := Open(f.Context(), filepath.Join(f.TempDir(), "l.db"), time.Now)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = l.Close() })
	d := docket.Docket{Key: docket.Key{Cluster: "c", Root: "r"}, Cases: []docket.Case{{ID: "1", State: docket.Open}}}
	f.Fuzz(func(t *testing.T, tenant, reader string) {
		d.Cases[0].Evidence, d.Root.Namespace = tenant, tenant
		version, err := l.CompareAndSet(t.Context(), d, []docket.Entry{{Kind: "seen", Text: tenant}})
		if err != nil {
			t.Fatalf("%q is not stored: %v", tenant, err)
		}
		d.Version = version
		for _, text := range []string{reader, tenant, plainWord(tenant)} {
			if text == "" {
				continue
			}
			page, err := l.Cases(t.Context(), ledger.CaseQuery{Text: text})
			if err != nil {
				t.Fatalf("cases for %q: %v", text, err)
			}
			if text == plainWord(tenant) && page.Total != 1 {
				t.Errorf("%q does not find %q", text, tenant)
			}
			if len(ledger.Words(text)) == 0 && page.Total != 0 {
				t.Errorf("%q has no word and finds %q", text, tenant)
			}
			for _, q := range []ledger.LineQuery{{Text: text}, {Text: text, Namespace: reader, Owner: reader, Rule: reader, Kind: reader}, {Text: text, Namespace: tenant}} {
				if _, err := l.Lines(t.Context(), q); err != nil {
					t.Fatalf("%+v: %v", q, err)
				}
			}
		}
	})
}

// plainWord is the first word of ASCII letters alone, if it stands by itself.
func plainWord(text string) string {
	for _, word := range strings.Fields(text) {
		if len(word) < 60 && strings.Trim(word, "abcdefghijklmnopqrstuvwxyz") == "" {
			return word
		}
	}
	return ""
}
