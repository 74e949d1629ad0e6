package main

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// loose are words by which another version comes in than the one that was tried.
func loose() map[string]*regexp.Regexp {
	return map[string]*regexp.Regexp{
		"a Go program of no version":    regexp.MustCompile(`\bgo (?:run|install) (?:-\S+ )*[\w.-]+\.[a-z]+/\S*@(?:latest|main|master|upgrade)`),
		"a Go program of no module":     regexp.MustCompile(`\bgo install [\w.-]+\.[a-z]+/[^@\s]+\s`),
		"an action of no commit":        regexp.MustCompile(`(?m)^\s*-?\s*uses:\s*[^\s./][^\s@]*@(?:[^0-9a-f\s]\S*|[0-9a-f]{0,39}(?:[^0-9a-f\s]\S*)?)\s*$`),
		"an image of no version":        regexp.MustCompile(`(?mi)^\s*(?:FROM|image:)\s+["']?(?:[\w.-]+/)*[\w-]+(?::latest)?["']?\s*(?:AS \w+)?\s*$`),
		"npm install, not npm ci":       regexp.MustCompile(`\bnpm (?:--\S+ \S+ )*(?:install|i)\s`),
		"a package that npx picks":      regexp.MustCompile(`\bnpx\s`),
		"a script out of the net":       regexp.MustCompile(`\b(?:curl|wget)\b[^\n|]*\|\s*(?:ba)?sh\b`),
		"a Maven version that may move": regexp.MustCompile(`<version>\s*(?:LATEST|RELEASE|[\[(][^<]*|[^<]*SNAPSHOT)\s*</version>`),
	}
}

// stages are an image's lines that begin with nothing, or with an earlier stage: both are called
// so in the Dockerfile itself.
func stages() *regexp.Regexp { return regexp.MustCompile(`(?m)^FROM (?:scratch|base)(?: AS \w+)?$`) }

// looked reports whether a file says what is run or fetched.
func looked(name string) bool {
	base := path.Base(name)
	return base == "Makefile" || strings.HasPrefix(base, "Dockerfile") || strings.HasPrefix(name, ".ci/") ||
		slices.Contains([]string{".sh", ".yml", ".yaml", ".xml", ".mk"}, path.Ext(base))
}

func tracked(t *testing.T) []string {
	t.Helper()
	out, err := exec.Command("git", "ls-files").Output()
	if err != nil {
		t.Skipf("no git, or no repository: %v", err)
	}
	return strings.Fields(string(out))
}

func TestVersionsAreFixed(t *testing.T) {
	t.Chdir("../..")
	n := 0
	for _, name := range tracked(t) {
		if !looked(name) || strings.Contains(name, "testdata/") || strings.HasPrefix(name, "examples/") {
			continue // manifests to judge are bad on purpose
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		n++
		text = stages().ReplaceAll(text, nil)
		for what, pattern := range loose() {
			if found := pattern.Find(text); found != nil {
				t.Errorf("%s: %s: %q; write the version that was tried", name, what, found)
			}
		}
	}
	if n < 5 {
		t.Errorf("%d files were looked at", n)
	}
}

func TestWhatIsLoose(t *testing.T) {
	for text, is := range map[string]bool{
		"go run example.com/x@latest\n": true, "go run -mod=mod example.com/x@v1.2.3\n": false, "go run ./tools/x\n": false, "go install example.com/x\n": true,
		"  - uses: actions/checkout@v4\n": true, "  uses: actions/checkout@8f4b7f84864484a7bf31766abe9204da3cbe65b3\n": false, "uses: ./local\n": false,
		"uses: actions/checkout@8f4b7f8\n": true, "FROM golang\n": true, "FROM golang:latest AS x\n": true, "FROM scratch:x\n": false, "FROM golang:1.26\n": false,
		"image: k8guard\n": true, "npm --prefix x install y\n": true, "npm --prefix x ci\n": false, "npx y\n": true, "curl -s https://x | sh\n": true,
		"<version>LATEST</version>": true, "<version>[1,2)</version>": true, "<version>4.1.0</version>": false,
	} {
		found := false
		for _, pattern := range loose() {
			found = found || pattern.MatchString(text)
		}
		if found != is {
			t.Errorf("%q: %v", text, found)
		}
	}
}

// The sums of modules and packages are in the repository, and Maven's versions are in each file.
func TestSumsAreKept(t *testing.T) {
	t.Chdir("../..")
	all := tracked(t)
	for _, name := range all {
		beside := map[string]string{"go.mod": "go.sum", "package.json": "package-lock.json"}[path.Base(name)]
		if beside != "" && !slices.Contains(all, path.Join(path.Dir(name), beside)) {
			t.Errorf("%s has no %s beside it", name, beside)
		}
		if path.Base(name) == "pom.xml" {
			versions(t, name)
		}
	}
}

// versions wants one in each dependency and plugin of a pom.
func versions(t *testing.T, name string) {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	decoder := xml.NewDecoder(file)
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		start, ok := token.(xml.StartElement)
		if !ok || start.Name.Local != "dependency" && start.Name.Local != "plugin" {
			continue
		}
		var one struct {
			Artifact string `xml:"artifactId"`
			Version  string `xml:"version"`
		}
		if err := decoder.DecodeElement(&one, &start); err != nil || one.Version == "" {
			t.Errorf("%s: %s has no version (%v)", name, one.Artifact, err)
		}
	}
}
