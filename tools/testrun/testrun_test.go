package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A module whose tests pass, are skipped, fail and panic: what is shown and what is written down.
func TestRun(t *testing.T) {
	if testing.Short() {
		t.Skip("it runs the go command")
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod": "module example.com/m\n\ngo 1.26\n",
		"good/good_test.go": "package good\nimport \"testing\"\nfunc TestGood(t *testing.T) { t.Log(\"quiet\"); t.Run(\"part\", func(*testing.T) {}) }\n" +
			"func TestSkipped(t *testing.T) { t.Skip(\"no\") }\n" +
			"func TestPartly(t *testing.T) { t.Run(\"a\", func(*testing.T) {}); t.Run(\"b\", func(t *testing.T) { t.Skip(\"no\") }) }\n",
		"bad/bad_test.go":     "package bad\nimport \"testing\"\nfunc TestGood(t *testing.T) {}\nfunc TestBad(t *testing.T) { t.Error(\"loud\") }\n",
		"panic/panic_test.go": "package panic\nimport \"testing\"\nfunc TestGood(t *testing.T) {}\nfunc TestPanic(t *testing.T) { panic(\"very loud\") }\n",
		"built/built_test.go": "package built\nfunc f() { return 1 }\n",
		"none/none.go":        "package none\n",
	} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	for name, c := range map[string]struct {
		packages, passed string
		code             int
		says, hides      []string
	}{
		"good":        {"./good ./none", "example.com/m/good TestGood|example.com/m/good TestGood/part|example.com/m/good TestPartly/a|", 0, []string{"ok  \texample.com/m/good", "[no test files]"}, []string{"quiet", "PASS"}},
		"bad":         {"./bad", "", 1, []string{"loud", "--- FAIL: TestBad", "FAIL\texample.com/m/bad"}, []string{"TestGood"}},
		"a panic":     {"./panic", "", 1, []string{"very loud", "goroutine"}, nil},
		"no building": {"./built ./good", "example.com/m/good TestGood|example.com/m/good TestGood/part|example.com/m/good TestPartly/a|", 1, []string{"too many return values", "[build failed]"}, nil},
	} {
		out, passed, code := inAnother(t, strings.Fields(c.packages))
		if code != c.code || strings.ReplaceAll(passed, "\n", "|") != c.passed {
			t.Errorf("%s: code %d, passed %q\n%s", name, code, passed, out)
		}
		for _, says := range c.says {
			if !strings.Contains(out, says) {
				t.Errorf("%s: no %q in\n%s", name, says, out)
			}
		}
		for _, hides := range c.hides {
			if strings.Contains(out, hides) {
				t.Errorf("%s: %q in\n%s", name, hides, out)
			}
		}
	}
}

// inAnother is the program in a process of its own: this test, called again.
func inAnother(t *testing.T, packages []string) (out, passed string, code int) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "passed")
	self := exec.Command(os.Args[0], append([]string{"-passed", file, "--", "go", "test"}, packages...)...)
	self.Env = append(os.Environ(), "TESTRUN_ITSELF=1", "CGO_ENABLED=0", "GOFLAGS=")
	text, err := self.CombinedOutput()
	if self.ProcessState == nil {
		t.Fatal(err)
	}
	list, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text), string(list), self.ProcessState.ExitCode()
}

func TestMain(m *testing.M) {
	if os.Getenv("TESTRUN_ITSELF") != "" {
		main()
	}
	os.Exit(m.Run())
}

func TestWhatIsNoCommand(t *testing.T) {
	for _, command := range [][]string{nil, {"go"}, {"test"}} {
		if _, err := run("x", command); err == nil {
			t.Errorf("%q is taken", command)
		}
	}
	if _, err := run("", []string{"go", "test"}); err == nil {
		t.Error("no file is taken")
	}
}
