package config_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/k8guard/k8guard/internal/config"
)

func TestPrintFull(t *testing.T) {
	c := full()
	text, err := c.YAML()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/full.printed.golden", string(text))
	if text, err = c.JSON(); err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/full.printed.json", string(text)+"\n")
	if !json.Valid(text) {
		t.Error("this is not JSON")
	}
}

func TestPrintedMaskIsRefused(t *testing.T) {
	text, err := full().YAML()
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = config.LoadBytes(text, config.Source{File: "printed.yaml"})
	if err == nil || !strings.Contains(err.Error(), "notify.email.password: is the mask") {
		t.Errorf("got %v", err)
	}
}

// TestPrintedLoadsAgain: any text in any field comes back as it was, and the same
// configuration prints the same bytes.
func TestPrintedLoadsAgain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfN(rapid.String(), 1, 3)
		c := full()
		inFiles(reflect.ValueOf(&c).Elem())
		c.Cluster.Name = rapid.String().Draw(t, "name")
		c.Discover.IgnoreNamespaces = words.Draw(t, "namespaces")
		c.Policies[0].Match.Namespaces = words.Draw(t, "match")
		c.Exemptions[0].Source = rapid.OneOf(rapid.String(), rapid.StringMatching("[\\n\\t a:|>#'\"-]{1,6}")).Draw(t, "source")
		c.Discover.Resync = time.Duration(rapid.Int64Range(1, int64(1000*time.Hour)).Draw(t, "resync"))
		c.Enforce.Budget.Percent = rapid.Float64Range(0, 100).Draw(t, "percent")
		c.Policies[1].Match = config.Match{Rules: []string{}, Namespaces: []string{}, Kinds: []string{}, Severities: []string{}}
		c.Exemptions[0].Match = config.Match{Rules: []string{"a"}, Namespaces: []string{}, Kinds: []string{}, Severities: []string{}}
		text, err := c.YAML()
		if err != nil {
			t.Fatal(err)
		}
		got, _, err := config.LoadBytes(text, config.Source{})
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if !reflect.DeepEqual(got, c) {
			t.Fatalf("got  %+v\nwant %+v\n%s", got, c, text)
		}
		if again, err := got.YAML(); err != nil || string(again) != string(text) {
			t.Fatalf("printed twice: %v\n%s\n%s", err, text, again)
		}
	})
}

// inFiles puts every secret below v into a file: a printed one is a mask, which is refused.
func inFiles(v reflect.Value) {
	for i := range v.NumField() {
		f, is := v.Field(i), v.Type().Field(i)
		s, secret := f.Addr().Interface().(*config.Secret)
		switch {
		case secret && !s.Empty():
			f.SetZero()
			v.FieldByName(is.Name + "File").SetString("/in/a/file")
		case isGroup(is.Type) && f.Kind() == reflect.Slice:
			for k := range f.Len() {
				inFiles(f.Index(k))
			}
		case isGroup(is.Type):
			inFiles(f)
		}
	}
}
