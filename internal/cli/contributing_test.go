package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A server that go run started outlives a kill of go run: no document starts one so.
func TestNoDocumentStartsAServerByGoRun(t *testing.T) {
	for _, name := range documents(t) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "go run ./tools/mailsink") {
			t.Errorf("%s: build the mail sink, and start what was built", name)
		}
	}
}

// Every command line of ours that the documents show is one that exists, with its flags.
func TestDocumentedCommandsExist(t *testing.T) {
	line := regexp.MustCompile("(?:bin/k8guard|/k8guard|`k8guard|kubectl k8guard|    k8guard) ([a-z][^`\n|#&;>(]*)")
	for _, name := range documents(t) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range line.FindAllStringSubmatch(string(text), -1) {
			words := strings.Fields(strings.NewReplacer(`"..."`, "x", "…", "").Replace(found[1]))
			root := New(Streams{})
			command, rest, err := root.Find(words)
			if err != nil || command == root {
				t.Errorf("%s: no such command: k8guard %s", name, found[1])
				continue
			}
			if err := command.ParseFlags(rest); err != nil && !strings.Contains(err.Error(), "needs an argument") {
				t.Errorf("%s: k8guard %s: %v", name, found[1], err)
			}
		}
	}
}

func documents(t *testing.T) []string {
	t.Helper()
	all := []string{"../../README.md", "../../CONTRIBUTING.md", "../../SECURITY.md"}
	for _, pattern := range []string{"../../docs/*.md", "../../docs/operators/*.md"} {
		more, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, more...)
	}
	return all
}
