package move_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/ledger/move"
	"github.com/k8guard/k8guard/internal/ledger/sqlite"
)

func noon() time.Time { return time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC) }

func open(t testing.TB, dir string) *sqlite.Ledger {
	t.Helper()
	l, err := sqlite.Open(context.Background(), filepath.Join(dir, "ledger.db"), noon)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func closed(t testing.TB, l *sqlite.Ledger) {
	t.Helper()
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}

func export(t testing.TB, from *sqlite.Ledger) []byte {
	t.Helper()
	var text bytes.Buffer
	if err := from.Snapshot(context.Background(), func(s ledger.Source) error {
		_, err := move.Export(context.Background(), s, &text, nil)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return text.Bytes()
}

func write(t testing.TB, text []byte) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "ledger.jsonl")
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func load(to *sqlite.Ledger, name string) (move.Result, error) {
	return move.Import(context.Background(), name, to, move.Options{Verify: true, Now: noon})
}

// body is a file but for its first and last line, which name the ledger and the sum.
func body(text []byte) []byte {
	lines := bytes.SplitAfter(text, []byte("\n"))
	return bytes.Join(lines[1:len(lines)-2], nil)
}

// grow makes a ledger of anything that a ledger may hold.
func grow(rt *rapid.T, l *sqlite.Ledger) {
	ctx, text := context.Background(), rapid.StringN(0, 40, 200)
	must := func(_ int64, err error) {
		if err != nil {
			rt.Fatal(err)
		}
	}
	for i := range rapid.IntRange(0, 6).Draw(rt, "dockets") {
		d := docket.Docket{Key: docket.Key{Cluster: rapid.SampledFrom([]string{"a", "b-1"}).Draw(rt, "cluster"), Root: fmt.Sprintf("root-%d", i)},
			Cluster: text.Draw(rt, "name"), Root: v1.Root{Kind: "Deployment", Namespace: text.Draw(rt, "namespace"), Name: text.Draw(rt, "root"), UID: fmt.Sprintf("root-%d", i)},
			ObservedAt: noon().Add(time.Duration(rapid.IntRange(0, 1e9).Draw(rt, "at"))), Owner: v1.Owner{Emails: []string{text.Draw(rt, "owner")}}}
		for version := range int64(rapid.IntRange(1, 4).Draw(rt, "versions")) {
			d.Version = version
			d.Owner.Emails = []string{text.Draw(rt, "owner")}
			d.Cases = nil
			for j := range rapid.IntRange(0, 3).Draw(rt, "cases") {
				c := docket.Case{Rule: fmt.Sprint("RULE_", j), Source: text.Draw(rt, "source"), Severity: "high", Evidence: text.Draw(rt, "evidence"), FirstSeen: noon(),
					State:   rapid.SampledFrom([]docket.State{docket.Open, docket.Resolved, docket.Acted, docket.Contested}).Draw(rt, "state"),
					Notices: []docket.NoticeRef{{Key: text.Draw(rt, "notice")}}, ToldResolved: true}
				c.ID = docket.CaseID(d.Key, c.Rule, fmt.Sprint(j), v1.FromTemplate)
				d.Cases = append(d.Cases, c)
			}
			if rapid.Bool().Draw(rt, "acted") {
				d.Enforcement = &docket.Enforcement{ID: "e", State: rapid.SampledFrom([]docket.EnforcementState{docket.Intent, docket.Done, docket.Undid}).Draw(rt, "how far"),
					Prior: docket.Prior{Manifest: []byte(`{"a": "<b>", "c":[1 , 2]}`)}}
			}
			var entries []docket.Entry
			for range rapid.IntRange(0, 3).Draw(rt, "entries") {
				entries = append(entries, docket.Entry{At: noon(), Kind: docket.EntrySeen, Text: text.Draw(rt, "entry")})
			}
			must(l.CompareAndSet(ctx, d, entries))
		}
	}
	for i := range rapid.IntRange(0, 4).Draw(rt, "records") {
		r := ledger.Record{Key: fmt.Sprintf("budget/%d", i)}
		for range rapid.IntRange(1, 3).Draw(rt, "puts") {
			r.Value = rapid.SliceOfN(rapid.Byte(), 0, 50).Draw(rt, "value")
			must(l.Put(ctx, r))
			r.Version++
		}
	}
	if rapid.Bool().Draw(rt, "has acted") {
		must(l.Put(ctx, ledger.Record{Key: ledger.IdentityKey, Value: []byte(`{"id":"old","seq":7}`)}))
	}
}

// fewer turns rapid's number of runs down, unless the one who runs the test chose it: each
// makes two files.
func fewer(t *testing.T) {
	t.Helper()
	f := flag.Lookup("rapid.checks")
	if f.Value.String() != f.DefValue {
		return
	}
	if err := flag.Set("rapid.checks", "30"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = flag.Set("rapid.checks", f.DefValue) })
}

func TestThereAndBackIsTheSame(t *testing.T) {
	fewer(t)
	rapid.Check(t, func(rt *rapid.T) {
		from := open(t, t.TempDir())
		defer closed(t, from)
		grow(rt, from)
		first := export(t, from)
		to := open(t, t.TempDir())
		defer closed(t, to)
		result, err := load(to, write(t, first))
		if err != nil {
			rt.Fatal(err)
		}
		if second := export(t, to); !bytes.Equal(body(first), body(second)) {
			rt.Fatalf("first:\n%s\nsecond:\n%s", first, second)
		}
		was, err := ledger.Read[ledger.Identity](t.Context(), from, ledger.IdentityKey)
		if err != nil {
			rt.Fatal(err)
		}
		is, err := ledger.Read[ledger.Identity](t.Context(), to, ledger.IdentityKey)
		if err != nil || is.ID == "" || is.ID == was.ID || is.ID != result.ID || is.Seq != was.Seq {
			rt.Fatalf("identity %+v, was %+v, %v", is, was, err)
		}
		for bucket := range docket.Buckets {
			a, errA := from.OpenInBucket(t.Context(), bucket)
			b, errB := to.OpenInBucket(t.Context(), bucket)
			if err := errors.Join(errA, errB); err != nil || fmt.Sprint(a) != fmt.Sprint(b) {
				rt.Fatalf("open in bucket %d: %v, %v, %v", bucket, a, b, err)
			}
		}
	})
}

// filled is a ledger of some dockets, with a longer history each.
func filled(t testing.TB, dockets, lines int) *sqlite.Ledger {
	t.Helper()
	l := open(t, t.TempDir())
	t.Cleanup(func() { closed(t, l) })
	for i := range dockets {
		d := docket.Docket{Key: docket.Key{Cluster: "k", Root: fmt.Sprintf("root-%03d", i)}, Root: v1.Root{Kind: "Deployment", Namespace: "shop", Name: fmt.Sprint("web-", i)}}
		d.Cases = []docket.Case{{ID: docket.CaseID(d.Key, "R", "app", v1.FromTemplate), Rule: "R", Severity: "high", State: docket.Open}}
		var entries []docket.Entry
		for j := range lines {
			entries = append(entries, docket.Entry{At: noon(), Kind: docket.EntrySeen, Text: fmt.Sprint("line ", j)})
		}
		if _, err := l.CompareAndSet(t.Context(), d, entries); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 3 {
		if _, err := l.Put(t.Context(), ledger.Record{Key: fmt.Sprint("budget/", i), Value: []byte(`{}`)}); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

func TestBadFiles(t *testing.T) {
	good := string(export(t, filled(t, 3, 2)))
	lines := strings.SplitAfter(good, "\n")
	for name, c := range map[string]struct{ text, says string }{
		"empty":                {"", ":1: the file ends here"},
		"cut off":              {good[:len(good)/2], "the file ends here"},
		"without its end":      {strings.Join(lines[:len(lines)-2], ""), "the file ends here"},
		"another file":         {"a: 1\n", ":1: this line cannot be read"},
		"JSON of another":      {"{}\n", ":1: this line holds 0 things"},
		"no header":            {strings.Join(lines[1:], ""), ":1: this is no ledger that"},
		"another format":       {strings.Replace(good, `"format":1`, `"format":2`, 1), ":1: it has format 2"},
		"a changed text":       {strings.Replace(good, "line 1", "line 7", 1), "its SHA-256 is another"},
		"a line less":          {strings.Join(append(append([]string{}, lines[:3]...), lines[4:]...), ""), ":4: docket \"k/root-000\" has 2 lines"},
		"a docket twice":       {strings.Join(append(append([]string{}, lines[:4]...), lines[1:]...), ""), ":5: docket \"k/root-000\" is not in order"},
		"a record less":        {strings.Join(append(append([]string{}, lines[:10]...), lines[11:]...), ""), "it has {Dockets:3 Lines:6 Records:2}"},
		"two things":           {strings.Replace(good, `{"docket":`, `{"end":{"dockets":0,"lines":0,"records":0,"sha256":""},"docket":`, 1), ":2: this line holds 2 things"},
		"two on a line":        {strings.Replace(good, "}\n{\"line\"", "}{\"line\"", 1), ":2: this line holds more than one thing"},
		"an unknown field":     {strings.Replace(good, `"closed":0`, `"closed":0,"new":1`, 1), ":2: this line cannot be read (a newer K8Guard"},
		"something after":      {good + "\n", "something follows its end"},
		"another's line":       {strings.Replace(good, `"root":"root-000"},"cluster"`, `"root":"root-001"},"cluster"`, 1), ":3: docket \"k/root-000\""},
		"no version":           {strings.Replace(good, `"version":1,"cluster"`, `"version":0,"cluster"`, 1), ":2: this docket has no key or no version"},
		"a name of its own":    {strings.Replace(good, "budget/0", ledger.IdentityKey, 1), "never moves"},
		"a value in two forms": {strings.Replace(good, `"text":"{}"`, `"text":"{}","base64":"AAAA"`, 1), "no base64, or is there twice"},
		"an endless line":      {strings.Repeat("x", 17<<20), ":1: this line is longer"},
	} {
		t.Run(name, func(t *testing.T) {
			if c.text == good {
				t.Fatal("the mistake is not in it")
			}
			to := open(t, t.TempDir())
			defer closed(t, to)
			file := write(t, []byte(c.text))
			_, err := load(to, file)
			if err == nil || !strings.Contains(err.Error(), c.says) || !strings.HasPrefix(err.Error(), file+":") {
				t.Errorf("%v, want %q after the file and the line", err, c.says)
			}
			if keys, _ := to.RecordKeys(t.Context()); len(keys) > 0 {
				t.Errorf("a bad file was begun: %v", keys)
			}
		})
	}
}

func TestOnlyAnEmptyLedgerIsFilled(t *testing.T) {
	one, other := write(t, export(t, filled(t, 3, 1))), write(t, export(t, filled(t, 4, 1)))
	to := filled(t, 1, 1)
	if _, err := load(to, one); !errors.Is(err, move.ErrNotEmpty) {
		t.Errorf("over another ledger: %v", err)
	}
	to = open(t, t.TempDir())
	defer closed(t, to)
	if err := ledger.Whole(t.Context(), to); err != nil {
		t.Errorf("an empty ledger: %v", err)
	}
	if _, err := load(to, one); err != nil {
		t.Fatal(err)
	}
	if err := ledger.Whole(t.Context(), to); err != nil {
		t.Errorf("a filled ledger: %v", err)
	}
	for _, file := range []string{one, other} {
		if _, err := load(to, file); !errors.Is(err, move.ErrNotEmpty) {
			t.Errorf("again: %v", err)
		}
	}
}

// spoiling is a ledger that changes what it is given.
type spoiling struct{ *sqlite.Ledger }

func (s spoiling) Restore(ctx context.Context, all ...ledger.Dossier) error {
	all[0].Docket.Hash = "another"
	return s.Ledger.Restore(ctx, all...)
}

func TestWhatIsNotTheSameIsSaid(t *testing.T) {
	file := write(t, export(t, filled(t, 3, 1)))
	to := open(t, t.TempDir())
	defer closed(t, to)
	if _, err := move.Import(t.Context(), file, spoiling{to}, move.Options{Verify: true, Now: noon}); err == nil || !strings.Contains(err.Error(), `docket "k/root-000" is not in the ledger as it is`) {
		t.Errorf("%v", err)
	}
	if err := ledger.Whole(t.Context(), to); !errors.Is(err, ledger.ErrHalf) {
		t.Errorf("it counts as whole: %v", err)
	}
	if _, err := load(to, file); err == nil || !strings.Contains(err.Error(), "is there and is another") {
		t.Errorf("resumed over another: %v", err)
	}
}
