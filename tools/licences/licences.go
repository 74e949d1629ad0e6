// Package licences tells under which licences the modules are that a program of ours is
// made of.
//
// Purpose: the list that ships with a release, and a test that no licence slips in that
// would bind whoever ships K8Guard.
//
// Concurrency: functions without state.
//
// Guarantees: a module whose licence is not known for sure is an error, never left out.
//
// It will not: fetch anything, or give advice on law.
package licences

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/google/licensecheck"
)

// Module is one module and what its licence files say.
type Module struct {
	Path, Version string
	Licences      []string // SPDX identifiers
	Text          string   // of all its licence files
}

// enough is the percentage of a licence's file that has to be known text.
const enough = 75

// permissive are the licences that ask for no more than to be named.
func permissive() []string {
	return []string{"MIT", "MIT-0", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "BSD-2-Clause-FreeBSD", "ISC", "0BSD", "Unlicense", "Zlib", "CC0-1.0", "blessing"}
}

// Of lists the modules, but for our own, that the packages are made of.
func Of(dir string, packages ...string) ([]Module, error) {
	list := exec.Command("go", append([]string{"list", "-deps", "-json=Module"}, packages...)...)
	list.Dir, list.Stderr = dir, os.Stderr
	out, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	found := map[string]Module{}
	var wrong []error
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			Module *struct {
				Path, Version, Dir string
				Main               bool
			}
		}
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("read what go list says: %w", err)
		}
		if p.Module == nil || p.Module.Main {
			continue // the standard library, and our own
		}
		if _, known := found[p.Module.Path]; known {
			continue
		}
		m, err := read(p.Module.Dir)
		if err != nil {
			wrong = append(wrong, fmt.Errorf("%s %s: %w", p.Module.Path, p.Module.Version, err))
		}
		m.Path, m.Version = p.Module.Path, p.Module.Version
		found[m.Path] = m
	}
	var all []Module
	for _, m := range found {
		all = append(all, m)
	}
	slices.SortFunc(all, func(a, b Module) int { return cmp.Compare(a.Path, b.Path) })
	return all, errors.Join(wrong...)
}

// read looks at what a module's folder says of its licence.
func read(dir string) (Module, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return Module{}, err
	}
	var m Module
	name := regexp.MustCompile(`(?i)^(un)?(licen[sc]e|copying|notice|copyright)`)
	for _, e := range entries {
		if e.IsDir() || !name.MatchString(e.Name()) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return m, err
		}
		m.Text += "-- " + e.Name() + " --\n" + strings.TrimRight(string(text), "\n") + "\n\n"
		known := licensecheck.Scan(text)
		if known.Percent < enough {
			continue // a notice, or a list of authors
		}
		for _, match := range known.Match {
			if !slices.Contains(m.Licences, match.ID) {
				m.Licences = append(m.Licences, match.ID)
			}
		}
	}
	slices.Sort(m.Licences)
	if len(m.Licences) == 0 {
		return m, errors.New("no licence is known in its folder; read it, and say here what it is")
	}
	return m, nil
}

// Check refuses licences that ask for more than to be named, except of modules that are
// allowed with a reason.
func Check(all []Module, allowed map[string]string) error {
	var wrong []error
	for _, m := range all {
		for _, l := range m.Licences {
			if !slices.Contains(permissive(), l) && allowed[m.Path] == "" {
				wrong = append(wrong, fmt.Errorf("%s %s is under %s: take another module, or allow it with a reason", m.Path, m.Version, l))
			}
		}
	}
	for path, why := range allowed {
		if !slices.ContainsFunc(all, func(m Module) bool { return m.Path == path }) {
			wrong = append(wrong, fmt.Errorf("%s is allowed (%s) and not in use: take the line away", path, why))
		}
	}
	return errors.Join(wrong...)
}

// List is the text that ships with a release.
func List(all []Module) string {
	var b strings.Builder
	b.WriteString("K8Guard is made of these modules, each under its own licence.\n\n")
	for _, m := range all {
		fmt.Fprintf(&b, "%s %s: %s\n", m.Path, m.Version, strings.Join(m.Licences, ", "))
	}
	for _, m := range all {
		fmt.Fprintf(&b, "\n==== %s %s ====\n\n%s", m.Path, m.Version, m.Text)
	}
	return b.String()
}

// Allowed are modules that ship under a licence that asks for more, and why that is well.
func Allowed() map[string]string {
	return map[string]string{
		"github.com/opencontainers/go-digest": "CC-BY-SA-4.0 is of its documentation alone, which does not ship; the code is under Apache-2.0",
	}
}
