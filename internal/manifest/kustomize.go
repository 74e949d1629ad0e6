package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// Kustomize reads what "kustomize build" makes of a folder, in process: no plugin runs, and
// nothing is fetched. It keeps state in a library; call it from one goroutine.
func Kustomize(dir string) (Set, error) {
	set := Set{Skipped: map[string]int{}}
	path, err := filepath.Abs(dir) // an absolute path is never taken for a repository
	if err != nil {
		return set, fmt.Errorf("kustomize build %s: %w", dir, err)
	}
	files := &local{FileSystem: filesys.MakeFsOnDisk()}
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(files, path)
	if files.refused != nil {
		return set, files.refused // what kustomize makes of it hides the reason
	}
	if err != nil {
		return set, fmt.Errorf("kustomize build %s: %w", dir, err)
	}
	text, err := built.AsYaml()
	if err != nil {
		return set, fmt.Errorf("kustomize build %s: %w", dir, err)
	}
	return set, newDecoder().read(&set, "(kustomize build "+dir+")", bytes.NewReader(text))
}

// kustomization is the file that makes a folder one, or empty.
func kustomization(dir string) string {
	for _, name := range konfig.RecognizedKustomizationFileNames() {
		if info, err := os.Stat(filepath.Join(dir, name)); err == nil && info.Mode().IsRegular() {
			return name
		}
	}
	return ""
}

func isKustomization(file string) bool {
	return slices.Contains(konfig.RecognizedKustomizationFileNames(), filepath.Base(file))
}

// local refuses a kustomization that names what lies elsewhere, before anything follows it.
type local struct {
	filesys.FileSystem
	refused error
}

// ReadFile implements filesys.FileSystem. After a refusal, nothing is read any more.
func (l *local) ReadFile(path string) ([]byte, error) {
	if l.refused != nil {
		return nil, l.refused
	}
	text, err := l.FileSystem.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if isKustomization(path) || bytes.Contains(text, []byte("builtin")) {
		l.refused = localOnly(path, text)
	}
	return text, l.refused
}

func localOnly(path string, text []byte) error {
	found, err := remoteIn(text)
	if err != nil {
		return fmt.Errorf("%s: this is no valid YAML: %w", path, err)
	}
	if found != "" {
		return fmt.Errorf("%s: %q is remote, and a scan fetches nothing; copy it beside the kustomization, or run: kustomize build DIR | k8guard scan -", path, found)
	}
	return nil
}

// remoteIn returns the first reference in YAML text that kustomize would fetch, or "". What
// cannot be read here is refused: another reader might see a reference in it.
func remoteIn(text []byte) (string, error) {
	d := yaml.NewDecoder(bytes.NewReader(text))
	for {
		var doc yaml.Node
		err := d.Decode(&doc)
		if errors.Is(err, io.EOF) {
			return "", nil
		}
		if err != nil {
			return "", err
		}
		if found := remoteBelow(&doc, "", 0); found != "" {
			return found, nil
		}
	}
}

// remoteBelow looks at every scalar whose nearest key names files or folders. An alias is
// followed like what it stands for; depth ends one that holds itself.
func remoteBelow(n *yaml.Node, key string, depth int) string {
	if depth > 50 {
		return ""
	}
	switch n.Kind {
	case yaml.AliasNode:
		return remoteBelow(n.Alias, key, depth+1)
	case yaml.ScalarNode:
		return remoteScalar(n.Value, key)
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			if found := remoteBelow(n.Content[i+1], n.Content[i].Value, depth+1); found != "" {
				return found
			}
		}
		return ""
	}
	for _, child := range n.Content {
		if found := remoteBelow(child, key, depth+1); found != "" {
			return found
		}
	}
	return ""
}

func remoteScalar(value, key string) string {
	switch strings.ToLower(key) {
	case "generators", "transformers", "validators":
		if strings.Contains(value, "\n") {
			found, err := remoteIn([]byte(value)) // written in place
			if err != nil {
				return value
			}
			return found
		}
		fallthrough
	case "resources", "bases", "components", "crds", "configurations":
		if remoteRoot(value) {
			return value
		}
	case "path", "files", "env", "envs", "patches", "patchesstrategicmerge", "patchesjson6902", "replacements", "openapi", "valuesfile", "additionalvaluesfiles", "targetfilepath":
		_, file, keyed := strings.Cut(value, "=")
		if remoteFile(value) || keyed && remoteFile(file) {
			return value
		}
	}
	return ""
}

// remoteRoot is wider than what kustomize clones: no folder here needs a colon.
func remoteRoot(s string) bool {
	first, _, _ := strings.Cut(s, "/")
	return strings.Contains(s, ":") || strings.Contains(first, "@") || strings.EqualFold(first, "github.com")
}

func remoteFile(s string) bool {
	s = strings.ToLower(strings.TrimSpace(s))
	return strings.HasPrefix(s, "http:") || strings.HasPrefix(s, "https:")
}
