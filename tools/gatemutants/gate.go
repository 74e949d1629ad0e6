package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// The kinds of mutants.
const (
	removed = "line removed"
	always  = "always yes"
	branch  = "condition"
)

// gateRule is one line of Gate().
type gateRule struct {
	number    int
	name      string
	predicate string
	from, to  int // the line's offsets, with its comma
}

// source is one file of the gate's package.
type source struct {
	path string
	text []byte
	file *ast.File
}

// gate is what is to be broken.
type gate struct {
	fset  *token.FileSet
	files []source
	home  int // the file that holds Gate()
	rules []gateRule
}

// mutant is one broken copy of one file, and how it fared.
type mutant struct {
	rule   int
	kind   string
	what   string
	path   string // of the file that it replaces
	text   []byte
	killed bool
	why    string // when it survived
}

// readGate parses gate.go and rules_*.go of a folder.
func readGate(dir string) (*gate, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	g := &gate{fset: token.NewFileSet(), home: -1}
	for _, path := range paths {
		base := filepath.Base(path)
		if strings.HasSuffix(base, "_test.go") || base != "gate.go" && !strings.HasPrefix(base, "rules_") {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		file, err := parser.ParseFile(g.fset, path, text, 0)
		if err != nil {
			return nil, err
		}
		if base == "gate.go" {
			g.home = len(g.files)
		}
		g.files = append(g.files, source{path, text, file})
	}
	if g.home < 0 {
		return nil, fmt.Errorf("%s holds no gate.go", dir)
	}
	return g, g.findRules()
}

// findRules reads the lines of Gate(): {number, name, predicate}.
func (g *gate) findRules() error {
	home := g.files[g.home]
	gateFunc := function(home.file, "Gate")
	if gateFunc == nil {
		return fmt.Errorf("%s has no func Gate", home.path)
	}
	ast.Inspect(gateFunc, func(n ast.Node) bool {
		line, ok := n.(*ast.CompositeLit)
		if !ok || len(line.Elts) != 3 {
			return true
		}
		number, isNumber := line.Elts[0].(*ast.BasicLit)
		name, isName := line.Elts[1].(*ast.BasicLit)
		predicate, isIdent := line.Elts[2].(*ast.Ident)
		if !isNumber || !isName || !isIdent {
			return true
		}
		r := gateRule{predicate: predicate.Name, from: g.offset(line.Pos()), to: g.offset(line.End()) + len(",")}
		r.number, _ = strconv.Atoi(number.Value)
		r.name, _ = strconv.Unquote(name.Value)
		g.rules = append(g.rules, r)
		return false
	})
	if len(g.rules) == 0 {
		return fmt.Errorf("%s: Gate() lists no rules", home.path)
	}
	return nil
}

// removals takes each rule's line out of Gate().
func (g *gate) removals() []*mutant {
	home := g.files[g.home]
	var all []*mutant
	for _, r := range g.rules {
		all = append(all, &mutant{rule: r.number, kind: removed, what: r.name, path: home.path,
			text: replace(home.text, r.from, r.to, "")})
	}
	return all
}

// bodies lets each predicate say yes before it looks.
func (g *gate) bodies() []*mutant {
	var all []*mutant
	for _, r := range g.rules {
		for _, s := range g.files {
			if f := function(s.file, r.predicate); f != nil {
				at := g.offset(f.Body.Lbrace) + 1
				all = append(all, &mutant{rule: r.number, kind: always, what: r.predicate, path: s.path,
					text: replace(s.text, at, at, " return yes();")})
			}
		}
	}
	return all
}

// branches makes each condition of each predicate false, one by one.
func (g *gate) branches() []*mutant {
	var all []*mutant
	for _, r := range g.rules {
		for _, s := range g.files {
			f := function(s.file, r.predicate)
			if f == nil {
				continue
			}
			for _, c := range conditions(f) {
				from, to := g.offset(c.Pos()), g.offset(c.End())
				all = append(all, &mutant{rule: r.number, kind: branch, path: s.path,
					what: fmt.Sprintf("%s:%d", filepath.Base(s.path), g.fset.Position(c.Pos()).Line),
					text: replace(s.text, from, to, "false && ("+string(s.text[from:to])+")")})
			}
		}
	}
	return all
}

// conditions are those of a function's ifs and tagless switches, and the sides of || in
// them, each by itself.
func conditions(f *ast.FuncDecl) []ast.Expr {
	var all []ast.Expr
	var add func(ast.Expr)
	add = func(e ast.Expr) {
		if or, ok := e.(*ast.BinaryExpr); ok && or.Op == token.LOR {
			add(or.X)
			add(or.Y)
			return
		}
		all = append(all, e)
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.IfStmt:
			add(n.Cond)
		case *ast.SwitchStmt:
			if n.Tag != nil {
				return true
			}
			for _, clause := range n.Body.List {
				for _, e := range clause.(*ast.CaseClause).List {
					add(e)
				}
			}
		}
		return true
	})
	return all
}

func function(file *ast.File, name string) *ast.FuncDecl {
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == name && f.Body != nil {
			return f
		}
	}
	return nil
}

func (g *gate) offset(p token.Pos) int { return g.fset.Position(p).Offset }

func replace(text []byte, from, to int, with string) []byte {
	return slices.Concat(text[:from], []byte(with), text[to:])
}
