package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	cyclonedx "github.com/CycloneDX/cyclonedx-go"
	"sigs.k8s.io/yaml"

	"github.com/k8guard/k8guard/tools/licences"
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

// The bill of materials is read back by the format's own reader, and is the same each time.
func TestMaterials(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	s := settings{version: "v1.0.0", date: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	var texts [2]string
	for i := range texts {
		to := filepath.Join(t.TempDir(), "x.cdx.json")
		known := []licences.Module{{Path: "github.com/CycloneDX/cyclonedx-go", Licences: []string{"Apache-2.0"}}}
		if err := s.materials(to, archive{binary: self, sum: "a", built: strings.Repeat("b", 64)}, known); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(to)
		if err != nil {
			t.Fatal(err)
		}
		texts[i] = string(text)
	}
	if texts[0] != texts[1] {
		t.Error("two bills of one program differ")
	}
	var bom cyclonedx.BOM
	if err := cyclonedx.NewBOMDecoder(strings.NewReader(texts[0]), cyclonedx.BOMFileFormatJSON).Decode(&bom); err != nil {
		t.Fatal(err)
	}
	if bom.Metadata.Timestamp != "2026-01-02T03:04:05Z" || bom.Metadata.Component.Version != "v1.0.0" || !strings.HasPrefix(bom.SerialNumber, "urn:uuid:") {
		t.Errorf("%+v", bom.Metadata)
	}
	for _, want := range []string{`"purl": "pkg:golang/github.com/CycloneDX/cyclonedx-go@v`, `"id": "Apache-2.0"`, `"purl": "pkg:golang/std@1.`} {
		if !strings.Contains(texts[0], want) {
			t.Errorf("no %s in\n%s", want, texts[0])
		}
	}
}

// The same sources give the same program in another folder with another cache, and what
// differs is found out.
func TestBuiltTwice(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds a program twice, and much of Go with it")
	}
	root := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":              "module example.com/m\n\ngo 1.26\n",
		"cmd/k8guard/main.go": "package main\n\nvar version, commit, date string\n\nfunc main() { println(version, commit, date); panic(\"a path\") }\n",
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.Command("git", "-C", root, "init", "-q").CombinedOutput(); err != nil {
		t.Skipf("no git: %v %s", err, out)
	}
	s := settings{version: "v1.0.0", commit: "abc", root: root, date: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	p, work := platform{"linux", "arm64"}, t.TempDir()
	to := filepath.Join(work, "k8guard")
	if err := s.build(t.Context(), root, to, p); err != nil {
		t.Fatal(err)
	}
	of, err := sum(to)
	if err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(to); err != nil || bytes.Contains(data, []byte(root)) || !bytes.Contains(data, []byte("v1.0.0")) {
		t.Errorf("a folder of this machine is in the program, or the version is not (%v)", err)
	}
	// It takes long: told to want another program, it says which one it got, and that is the first.
	elsewhere := filepath.Join(work, "elsewhere")
	if err := copySources(t.Context(), root, elsewhere); err != nil {
		t.Fatal(err)
	}
	if err := s.again(t.Context(), work, elsewhere, p, strings.Repeat("0", 64)); err == nil || !strings.Contains(err.Error(), "built twice") || !strings.Contains(err.Error(), of) {
		t.Errorf("%v, want %s", err, of)
	}
}
