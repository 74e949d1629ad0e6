package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/k8guard/k8guard/internal/config"
)

// Mistakes of reading do not hide what is wrong elsewhere; what may follow from them waits, and is said to.
func TestMistakesOfAllLayersAtOnce(t *testing.T) {
	const more = "more may follow once these are mended"
	for text, want := range map[string][]string{
		"log: {lvel: info}\nreport: {listen: nowhere}\n":             {"k8guard.yaml:1:7: log.lvel: there is no such key", "report.listen: "},
		"log: {lvel: info}\nreport: {listen: 1}\npolicies: [{}]\n":   {"log.lvel: ", "report.listen: is a number", "policies[0].name: "},
		"policies: [{name: a, ladder: {wait: soon, warnings: 0}}]\n": {"policies[0].ladder.wait: ", more},
		"raport: {listen: nowhere}\npolicies: [{}]\n":                {"raport: there is no such key; did you mean report?", more},
		"log: {level: loud}\n":                                       {"log.level: "},
		"log: {lvel: info}\n":                                        {"log.lvel: "},
	} {
		_, _, err := config.LoadBytes([]byte(text), config.Source{File: "k8guard.yaml"})
		if err == nil {
			t.Errorf("%q is taken", text)
			continue
		}
		lines := strings.Split(err.Error(), "\n")
		if len(lines) != len(want) {
			t.Errorf("%q: %d lines, want %d:\n%v", text, len(lines), len(want), err)
		}
		for _, w := range want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%q: no %q in\n%v", text, w, err)
			}
		}
	}
}

// A file that says nothing is probably another one than was meant.
func TestAnEmptyFileIsSaidToBeOne(t *testing.T) {
	file := filepath.Join(t.TempDir(), "k8guard.yaml")
	for text, empty := range map[string]bool{"": true, "# later\n---\n\n": true, "log: {}\n": false} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, warnings, err := config.Load(config.Source{File: file})
		if said := len(warnings) > 0 && warnings[0].String() == file+" is empty: nothing is set in it, and every default counts"; err != nil || said != empty {
			t.Errorf("%q: %v, %v", text, warnings, err)
		}
	}
}
