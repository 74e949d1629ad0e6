package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"
)

func TestComplete(t *testing.T) {
	good := settings{version: "v1.0.0", commit: "abc", out: "x", verify: "one"}
	for name, c := range map[string]struct {
		change func(*settings)
		date   string
		says   string
	}{
		"good":            {func(*settings) {}, "2026-01-02T03:04:05Z", ""},
		"no date":         {func(*settings) {}, "yesterday", "-date"},
		"no version":      {func(s *settings) { s.version = "" }, "2026-01-02T03:04:05Z", "-version"},
		"a flag in it":    {func(s *settings) { s.commit = "a -X main.version=b" }, "2026-01-02T03:04:05Z", "-commit"},
		"no way to check": {func(s *settings) { s.verify = "some" }, "2026-01-02T03:04:05Z", "-verify"},
	} {
		s := good
		c.change(&s)
		if err := s.complete(c.date); (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := (settings{only: "plan9/mips"}).chosen(); err == nil {
		t.Error("a platform that there is not is taken")
	}
	if some, err := (settings{}).chosen(); err != nil || len(some) != 6 {
		t.Errorf("%v, %v", some, err)
	}
}

// An archive is the same whenever and by whomever it is made, and holds a program that runs.
func TestArchives(t *testing.T) {
	s := settings{version: "v1.0.0", root: "../..", date: time.Date(2026, 1, 2, 3, 4, 5, 0, time.FixedZone("x", 3600))}
	sums := map[string]string{}
	for range 2 {
		dir := t.TempDir()
		binary := filepath.Join(dir, "built")
		if err := os.WriteFile(binary, []byte("program"), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, p := range []platform{{"linux", "arm64"}, {"windows", "amd64"}} {
			a := archive{platform: p, binary: binary}
			if err := s.pack(dir, &a, "licences\n"); err != nil {
				t.Fatal(err)
			}
			if before, twice := sums[a.name]; twice && before != a.sum {
				t.Errorf("%s differs", a.name)
			}
			sums[a.name] = a.sum
		}
		holds(t, filepath.Join(dir, "k8guard_v1.0.0_linux_arm64.tar.gz"))
		time.Sleep(time.Millisecond)
	}
	if sums["k8guard_v1.0.0_windows_amd64.zip"] == "" {
		t.Errorf("%v", sums)
	}
}

func holds(t *testing.T, path string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	unzipped, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	head, err := tar.NewReader(unzipped).Next()
	if err != nil || head.Name != "k8guard" || head.Mode != 0o755 || head.Uid != 0 || head.Uname != "" || !head.ModTime.Equal(time.Date(2026, 1, 2, 2, 4, 5, 0, time.UTC)) {
		t.Errorf("%+v, %v", head, err)
	}
}

// krew reads the manifest's fields by these names.
func TestKrew(t *testing.T) {
	s := settings{version: "v1.0.0"}
	to := filepath.Join(t.TempDir(), "k8guard.yaml")
	if err := s.krew(to, []archive{{platform: platform{"windows", "amd64"}, name: "k8guard_v1.0.0_windows_amd64.zip", sum: strings.Repeat("a", 64)}}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(to)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := yaml.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"apiVersion: krew.googlecontainertools.github.com/v1alpha2", "kind: Plugin", "name: k8guard", "version: v1.0.0", "bin: k8guard.exe",
		"os: windows", "sha256: " + strings.Repeat("a", 64), "uri: https://github.com/k8guard/k8guard/releases/download/v1.0.0/k8guard_v1.0.0_windows_amd64.zip"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

func TestChecksums(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{".binary": "x", "b": "b", "a": "a"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := checksums(dir); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(dir, "checksums.txt"))
	want := "3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d  b\nca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb  a\n"
	if err != nil || string(got) != want {
		t.Errorf("%s, %v", got, err)
	}
}
