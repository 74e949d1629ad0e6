package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/ledger/move"
	"github.com/k8guard/k8guard/internal/ledger/sqlite"
)

// kept makes a ledger in a data.dir, with one docket and one record.
func kept(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	l, err := sqlite.Open(t.Context(), filepath.Join(dir, "ledger.db"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	d := docket.Docket{Key: docket.Key{Cluster: "k", Root: "r"}, Root: v1.Root{Kind: "Deployment", Namespace: "shop", Name: "web"}}
	if _, err := l.CompareAndSet(t.Context(), d, []docket.Entry{{At: time.Now(), Kind: docket.EntrySeen, Text: "seen"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Put(t.Context(), ledger.Record{Key: ledger.IdentityKey, Value: []byte(`{"id":"old","seq":1}`)}); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestLedgerMoves(t *testing.T) {
	from, to, file := "data.dir="+kept(t), "data.dir="+filepath.Join(t.TempDir(), "new"), filepath.Join(t.TempDir(), "ledger.jsonl")
	out, _, err := with(t, nil, "ledger", "export", file, "--set", from)
	if err != nil || !strings.HasPrefix(out, "1 dockets, 1 lines of history and 0 records are in "+file) {
		t.Fatalf("%q, %v", out, err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode() != 0o600 {
		t.Errorf("%v, %v: it holds what owners wrote, and is for its owner alone", info.Mode(), err)
	}
	text, errs, err := with(t, nil, "ledger", "export", "-", "-o", "json", "--set", from)
	var end move.End
	if err != nil || json.Unmarshal([]byte(errs), &end) != nil || end.Lines != 1 || !strings.Contains(text, end.SHA256) {
		t.Errorf("to the output: %q, %v", errs, err)
	}
	if kept, err := os.ReadFile(file); err != nil || string(kept) != text {
		t.Errorf("the file has another text than the output, %v", err)
	}
	out, _, err = with(t, nil, "ledger", "import", file, "--set", to, "-o", "json")
	var r move.Result
	if err != nil || json.Unmarshal([]byte(out), &r) != nil || r.Dockets != 1 || r.From != "old" || r.ID == "" || r.ID == "old" || !r.Verified || r.Resumed {
		t.Errorf("%q, %v", out, err)
	}
	out, _, err = with(t, nil, "ledger", "import", file, "--set", "data.dir="+filepath.Join(t.TempDir(), "another"), "--verify=false")
	if err != nil || !strings.Contains(out, "never again on the old one") || !strings.Contains(out, "Nothing was read back") || !strings.Contains(out, "close the breaker") {
		t.Errorf("%q, %v", out, err)
	}
}

func TestLedgerMoveRefuses(t *testing.T) {
	dir := kept(t)
	from, file := "data.dir="+dir, filepath.Join(t.TempDir(), "ledger.jsonl")
	if _, _, err := with(t, nil, "ledger", "export", file, "--set", from); err != nil {
		t.Fatal(err)
	}
	busy, err := sqlite.Open(t.Context(), filepath.Join(dir, "ledger.db"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = busy.Close() }()
	bad := write(t, "bad.jsonl", "{}\n")
	for name, c := range map[string]struct {
		args []string
		says string
	}{
		"a file that is there":     {[]string{"export", file, "--set", from}, "is there already"},
		"a folder that is not":     {[]string{"export", "/nowhere/ledger.jsonl", "--set", from}, "no such file"},
		"no ledger":                {[]string{"export", filepath.Join(t.TempDir(), "a"), "--set", "data.dir=" + t.TempDir()}, "name the data.dir of a K8Guard that has run"},
		"one that runs":            {[]string{"import", file, "--set", from}, "another k8guard runs on it"},
		"a bad file":               {[]string{"import", bad, "--set", "data.dir=" + t.TempDir()}, bad + ":1: "},
		"no file":                  {[]string{"import", "/nowhere", "--set", "data.dir=" + t.TempDir()}, "no such file"},
		"no name":                  {[]string{"import"}, "see k8guard ledger import --help"},
		"an unknown format":        {[]string{"export", "a", "-o", "xml"}, "use -o table or -o json"},
		"Cassandra without a host": {[]string{"export", "a", "--set", "ledger.kind=cassandra"}, "ledger.cassandra.hosts"},
	} {
		t.Run(name, func(t *testing.T) {
			out, _, err := with(t, nil, append([]string{"ledger"}, c.args...)...)
			if err == nil || !strings.Contains(err.Error(), c.says) || Code(err) != ExitFailure || out != "" {
				t.Errorf("%v (code %d), want %q", err, Code(err), c.says)
			}
		})
	}
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(file), ".*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// Somebody sees how far it is, and nobody's file gets it.
func TestProgressIsForATerminal(t *testing.T) {
	for _, terminal := range []bool{true, false} {
		var out, errs bytes.Buffer
		root := New(Streams{In: strings.NewReader(""), Out: &out, Err: &errs, Terminal: terminal})
		root.SetArgs([]string{"ledger", "export", filepath.Join(t.TempDir(), "a"), "--set", "data.dir=" + kept(t)})
		if err := root.Execute(); err != nil || strings.Contains(errs.String(), "dockets: 0 of 1") != terminal || strings.Contains(out.String(), "dockets:") {
			t.Errorf("terminal %v: %q, %q, %v", terminal, out.String(), errs.String(), err)
		}
	}
}
