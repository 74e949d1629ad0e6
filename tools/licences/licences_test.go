package licences

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What ships is under licences that ask for no more than to be named.
func TestWhatShips(t *testing.T) {
	all, err := Of("../..", "./cmd/k8guard")
	if err != nil {
		t.Fatal(err)
	}
	if err := Check(all, Allowed()); err != nil {
		t.Error(err)
	}
	list := List(all)
	for _, want := range []string{"k8s.io/client-go v", "modernc.org/sqlite v", "==== github.com/spf13/cobra v", "Apache License"} {
		if !strings.Contains(list, want) {
			t.Errorf("the list does not say %q", want)
		}
	}
}

func TestCheck(t *testing.T) {
	mit, gpl := Module{Path: "a", Licences: []string{"MIT"}}, Module{Path: "b", Version: "v1.0.0", Licences: []string{"MIT", "GPL-3.0"}}
	for _, c := range []struct {
		all     []Module
		allowed map[string]string
		says    string
	}{
		{all: []Module{mit}},
		{all: []Module{mit, gpl}, says: "b v1.0.0 is under GPL-3.0"},
		{all: []Module{mit, gpl}, allowed: map[string]string{"b": "tests only"}},
		{all: []Module{mit}, allowed: map[string]string{"b": "tests only"}, says: "b is allowed (tests only) and not in use"},
	} {
		err := Check(c.all, c.allowed)
		if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%v: %v, want %q", c.all, err, c.says)
		}
	}
}

// A licence that nobody knows is an error, and a notice beside a known one is none.
func TestReadRefusesWhatItDoesNotKnow(t *testing.T) {
	ours, err := os.ReadFile("../../LICENSE")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		files map[string]string
		want  string
	}{
		"none":    {map[string]string{"README": "MIT"}, ""},
		"unknown": {map[string]string{"LICENSE": "You may do as you are told, and no more than that, on Sundays."}, ""},
		"known":   {map[string]string{"LICENCE.txt": string(ours), "NOTICE": "Thanks to all."}, "Apache-2.0"},
	} {
		dir := t.TempDir()
		for file, text := range c.files {
			if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		m, err := read(dir)
		if (err == nil) != (c.want != "") || strings.Join(m.Licences, ",") != c.want {
			t.Errorf("%s: %v, %v", name, m.Licences, err)
		}
	}
}
