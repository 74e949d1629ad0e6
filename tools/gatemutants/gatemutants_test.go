package main

import (
	"errors"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

func TestMutantsOfTheRealGate(t *testing.T) {
	g, err := readGate(filepath.Join("..", "..", dir))
	if err != nil {
		t.Fatal(err)
	}
	if len(g.removals()) != 17 || len(g.bodies()) != 17 {
		t.Fatalf("%d removals and %d bodies, want 17 each", len(g.removals()), len(g.bodies()))
	}
	branches := map[int]int{}
	for _, m := range g.branches() {
		branches[m.rule]++
	}
	all := append(append(g.removals(), g.bodies()...), g.branches()...)
	for _, m := range all {
		if _, err := parser.ParseFile(token.NewFileSet(), m.path, m.text, 0); err != nil {
			t.Errorf("rule %d, %s, %s: %v", m.rule, m.kind, m.what, err)
		}
		for _, s := range g.files {
			if s.path == m.path && string(s.text) == string(m.text) {
				t.Errorf("rule %d, %s, %s changes nothing", m.rule, m.kind, m.what)
			}
		}
	}
	for _, r := range g.rules {
		if branches[r.number] == 0 {
			t.Errorf("rule %d, %s, has no condition", r.number, r.name)
		}
	}
}

func TestARemovalTakesItsOwnLineOnly(t *testing.T) {
	g, err := readGate(filepath.Join("..", "..", dir))
	if err != nil {
		t.Fatal(err)
	}
	for i, m := range g.removals() {
		for j, r := range g.rules {
			if there := strings.Contains(string(m.text), `"`+r.name+`"`); there == (i == j) {
				t.Errorf("rule %d in the mutant without rule %d: %v", r.number, m.rule, there)
			}
		}
	}
}

func TestKilledNeedsTheRulesOwnTest(t *testing.T) {
	failed := errors.New("exit status 1")
	for _, c := range []struct {
		name, out string
		err       error
		want      bool
	}{
		{"its own test", "--- FAIL: TestGate01X (0.00s)\n", failed, true},
		{"passed", "--- PASS: TestGate01X (0.00s)\n", nil, false},
		{"another test", "--- FAIL: TestOther (0.00s)\n", failed, false},
		{"a longer name", "--- FAIL: TestGate01XY (0.00s)\n", failed, false},
		{"panic before", "panic: x\n", failed, false},
	} {
		if got := killed(c.out, c.err, "TestGate01X"); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}
