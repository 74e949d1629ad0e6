package config_test

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"testing"

	"github.com/k8guard/k8guard/internal/config"
)

// FuzzLoad: any file is read or refused, never half; a refusal begins with the file's name
// and what was accepted is valid and prints as something that is accepted again.
func FuzzLoad(f *testing.F) {
	files, err := filepath.Glob("testdata/mistakes/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range append(files, "testdata/full.yaml") {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	place := regexp.MustCompile(`^a\.yaml:\d+:\d+: `)
	f.Fuzz(func(t *testing.T, data []byte) {
		c, _, err := config.LoadBytes(data, config.Source{File: "a.yaml"})
		if err != nil {
			if !place.MatchString(err.Error()) {
				t.Fatalf("the error names no place: %v", err)
			}
			return
		}
		if err := config.Validate(c, nil); err != nil {
			t.Fatalf("loaded, and not valid: %v", err)
		}
		inFiles(reflect.ValueOf(&c).Elem())
		text, err := c.YAML()
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := config.LoadBytes(text, config.Source{File: "a.yaml"}); err != nil {
			t.Fatalf("the printed configuration is refused: %v\n%s", err, text)
		}
	})
}
