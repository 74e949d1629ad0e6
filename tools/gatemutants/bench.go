package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"
)

// bench builds the gate's tests and runs single ones of them.
type bench struct{ root, temp string }

// build compiles the tests, with one file replaced where m is not nil.
func (b bench) build(ctx context.Context, name string, m *mutant) (string, error) {
	binary := filepath.Join(b.temp, name+".test")
	overlay, err := b.overlay(name, m)
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, "go", "test", "-c", "-vet=off", "-ldflags=-s -w", "-overlay", overlay, "-o", binary, "./"+dir)
	cmd.Dir = b.root
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("compiling: %w\n%s", err, bytes.TrimSpace(out))
	}
	return binary, nil
}

// aside maps the test files of package enforce_test to nothing: they start servers, and the
// named tests are not among them. It looks anew each time, for people go on working.
func (b bench) aside() (map[string]string, error) {
	paths, err := filepath.Glob(filepath.Join(b.root, dir, "*_test.go"))
	if err != nil {
		return nil, err
	}
	files := map[string]string{}
	for _, path := range paths {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.PackageClauseOnly)
		if err != nil {
			return nil, err
		}
		if strings.HasSuffix(file.Name.Name, "_test") {
			files[path] = ""
		}
	}
	return files, nil
}

func (b bench) overlay(name string, m *mutant) (string, error) {
	copied, overlay := filepath.Join(b.temp, name+".go"), filepath.Join(b.temp, name+".json")
	files, err := b.aside()
	if err != nil {
		return "", err
	}
	if m != nil {
		files[m.path] = copied
		if err := os.WriteFile(copied, m.text, 0o600); err != nil {
			return "", err
		}
	}
	text, err := json.Marshal(map[string]map[string]string{"Replace": files})
	if err != nil {
		return "", err
	}
	return overlay, os.WriteFile(overlay, text, 0o600)
}

// run runs the tests that match, and returns what they printed.
func (b bench) run(ctx context.Context, binary, pattern string) (string, error) {
	cmd := exec.CommandContext(ctx, binary, "-test.v", "-test.run", pattern, "-test.timeout", "60s")
	cmd.Dir = filepath.Join(b.root, dir)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func pattern(rule int) string { return fmt.Sprintf("^TestGate%02d", rule) }

// baseline runs each rule's tests unbroken and returns their names by rule: exactly one
// for each, and it passes.
func (b bench) baseline(ctx context.Context, rules []gateRule) (map[int]string, error) {
	binary, err := b.build(ctx, "baseline", nil)
	if err != nil {
		return nil, err
	}
	tests := map[int]string{}
	for _, r := range rules {
		out, err := b.run(ctx, binary, pattern(r.number))
		if err != nil {
			return nil, fmt.Errorf("the tests of rule %d do not pass without a mutant: %w\n%s", r.number, err, out)
		}
		passed := regexp.MustCompile(`(?m)^--- PASS: (\S+)`).FindAllStringSubmatch(out, -1)
		if len(passed) != 1 {
			return nil, fmt.Errorf("rule %d has %d tests that begin with TestGate%02d; it needs one", r.number, len(passed), r.number)
		}
		tests[r.number] = passed[0][1]
	}
	return tests, nil
}

// try builds and tests every mutant, and notes how each fared.
func (b bench) try(ctx context.Context, mutants []*mutant, tests map[int]string, jobs int) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(max(jobs, 1))
	var mu sync.Mutex
	done := 0
	for i, m := range mutants {
		g.Go(func() error {
			b.one(ctx, fmt.Sprintf("m%03d", i), m, tests[m.rule])
			mu.Lock()
			defer mu.Unlock()
			done++
			fate := "killed"
			if !m.killed {
				fate = "SURVIVED"
			}
			fmt.Printf("%3d/%d  rule %2d  %-12s  %-28s %s\n", done, len(mutants), m.rule, m.kind, m.what, fate)
			return ctx.Err()
		})
	}
	return g.Wait()
}

func (b bench) one(ctx context.Context, name string, m *mutant, test string) {
	binary, err := b.build(ctx, name, m)
	if err != nil {
		m.why = err.Error()
		return
	}
	defer func() { _ = os.Remove(binary) }() // the folder goes at the end in any case
	out, err := b.run(ctx, binary, pattern(m.rule))
	m.killed = killed(out, err, test)
	if !m.killed {
		m.why = "its test passed"
		if err != nil {
			m.why = fmt.Sprintf("not by its own test: %v", err)
		}
	}
}

// killed reports whether the run failed, and by the rule's own test. A panic or a timeout
// is no proof: the mutant's test must say what is wrong.
func killed(out string, err error, test string) bool {
	return err != nil && strings.Contains(out, "--- FAIL: "+test+" ")
}
