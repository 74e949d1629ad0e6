package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const small = "## Violations\n\n| name | now | tests |\n|---|---|---|\n| `A` | kept | `internal/a TestA/part`, `internal/a TestB` |\n| B | later | open: chat |\n"

// The page of this repository is complete, and each test that it names is there.
func TestThePage(t *testing.T) {
	t.Chdir("../..")
	var out strings.Builder
	if code, err := check(&out, "", true); code != 0 || err != nil {
		t.Errorf("%d, %v", code, err)
	}
	t.Log(out.String())
}

func TestWhatThePageMayNotSay(t *testing.T) {
	want := []section{{"Violations", []string{"A", "B"}}}
	for text, says := range map[string]string{
		small: "",
		strings.ReplaceAll(small, "| `A`", "| `C`"):                             "has no line for A",
		small + "| A | twice | open: x |\n":                                     "line 7: A is not asked for",
		strings.Replace(small, "Violations", "Other", 1):                        `nothing is asked for below "Other"`,
		strings.Replace(small, "open: chat", "some day", 1):                     "B has no test",
		strings.Replace(small, "| later ", "", 1):                               "has 2 cells",
		strings.Replace(small, "open: chat", "`internal/a TestNone`", 1):        "there is no TestNone in internal/a",
		strings.Replace(small, "open: chat", "`internal/none TestA`", 1):        "there is no TestA in internal/none",
		strings.Replace(small, "open: chat", "`internal/a TestNotOne/part`", 1): "there is no TestNotOne",
	} {
		lines, err := read(text)
		got := ""
		for _, e := range []error{err, complete(lines, want), exist(lines, sources(t))} {
			if e != nil {
				got += e.Error() + "\n"
			}
		}
		if says == "" && got != "" || !strings.Contains(got, says) {
			t.Errorf("%q: %q, want %q", text, got, says)
		}
	}
}

// sources is a tree with two tests.
func sources(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "internal", "a"), 0o700); err != nil {
		t.Fatal(err)
	}
	text := "package a\nfunc TestA(t *testing.T) {}\nfunc TestB(t *testing.T) {}\n// func TestNone(t *testing.T)\nfunc TestNotOne(x int) {}\n"
	if err := os.WriteFile(filepath.Join(dir, "internal", "a", "a_test.go"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestWhatDidNotRun(t *testing.T) {
	lines, err := read(small)
	if err != nil {
		t.Fatal(err)
	}
	all := "m/internal/a TestA\nm/internal/a TestA/part\nm/internal/a TestB\n"
	if got := absent(lines, "m", all); len(got) != 0 {
		t.Errorf("%q", got)
	}
	if got := absent(lines, "m", strings.Replace(all, "m/internal/a TestA/part\n", "", 1)); len(got) != 1 || !strings.Contains(got[0], "TestA/part") {
		t.Errorf("%q", got)
	}
}
