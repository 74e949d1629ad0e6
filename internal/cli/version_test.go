package cli

import (
	"bytes"
	"encoding/json"
	"runtime"
	"strings"
	"testing"
)

// A release says which commit it is made of, when, and with which Go.
func TestVersion(t *testing.T) {
	run := func(args ...string) (string, error) {
		var out bytes.Buffer
		root := New(Streams{In: strings.NewReader(""), Out: &out, Err: &out, Build: Build{Version: "v1.2.3", Commit: "abc", Date: "2026-01-02T03:04:05Z"}})
		root.SetArgs(args)
		err := root.Execute()
		return out.String(), err
	}
	text, err := run("version")
	if want := "k8guard v1.2.3 (commit abc, 2026-01-02T03:04:05Z, " + runtime.Version() + ")\n"; err != nil || text != want {
		t.Errorf("%q, %v, want %q", text, err, want)
	}
	if same, err := run("--version"); err != nil || same != text {
		t.Errorf("--version: %q, %v", same, err)
	}
	text, err = run("version", "-o", "json")
	var got map[string]string
	if json.Unmarshal([]byte(text), &got) != nil || err != nil || got["version"] != "v1.2.3" || got["commit"] != "abc" || got["date"] != "2026-01-02T03:04:05Z" || got["go"] != runtime.Version() {
		t.Errorf("%s, %v", text, err)
	}
	if _, err := run("version", "-o", "yaml"); Code(err) != ExitFailure {
		t.Errorf("%v", err)
	}
}
