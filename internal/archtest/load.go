package archtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
)

// Load lists the product's packages below root, with their calls. It needs the go command.
func Load(root string) ([]Package, error) {
	cmd := exec.Command("go", "list", "-e", "-json=ImportPath,Dir,GoFiles,Imports", "./api/...", "./cmd/...", "./internal/...")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("list the packages below %s: %w; run it inside the repository", root, err)
	}
	var all []Package
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var listed struct {
			ImportPath, Dir  string
			GoFiles, Imports []string
		}
		if err := decoder.Decode(&listed); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, fmt.Errorf("read the list of packages: %w", err)
		}
		p := Package{Path: listed.ImportPath, Imports: listed.Imports}
		for _, name := range listed.GoFiles {
			calls, err := parse(filepath.Join(listed.Dir, name))
			if err != nil {
				return nil, err
			}
			p.Calls = append(p.Calls, calls...)
		}
		all = append(all, p)
	}
}

// parse finds every selector in a file, called or taken as a value ("now: time.Now").
func parse(file string) ([]Call, error) {
	set := token.NewFileSet()
	tree, err := parser.ParseFile(set, file, nil, 0)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	imports := map[string]string{}
	for _, i := range tree.Imports {
		from, _ := strconv.Unquote(i.Path.Value)
		name := path.Base(from)
		if i.Name != nil {
			name = i.Name.Name
		}
		imports[name] = from
	}
	var calls []Call
	ast.Inspect(tree, func(n ast.Node) bool {
		s, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		c := Call{Name: s.Sel.Name, At: fmt.Sprintf("%s:%d", filepath.Base(file), set.Position(s.Pos()).Line)}
		if x, ok := s.X.(*ast.Ident); ok && x.Obj == nil {
			c.From = imports[x.Name]
		}
		calls = append(calls, c)
		return true
	})
	return calls, nil
}
