// Package manifest reads entities from files.
//
// Purpose: the manifests that people are about to apply, as the same entities that a
// watch sees.
//
// Concurrency: [Read] keeps nothing; call it from any number of goroutines.
//
// Guarantees: a broken document hides no other one; what is not judged is counted by kind;
// a document has at most [MaxDocument] bytes; input never makes it panic.
//
// It will not: follow links inside a document, render a template, or ask a cluster.
package manifest

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/k8guard/k8guard/internal/entity"
)

// MaxDocument is the largest document that is read, in bytes.
const MaxDocument = 3 << 20

// maxFile bounds one file or stdin, in bytes.
const maxFile = 256 << 20

// Item is one entity and where it was written.
type Item struct {
	Entity entity.Entity
	File   string
	Line   int // of the document's first line of content, from 1
}

// Set is what a read found.
type Set struct {
	Items []Item
	// Related are the objects that no rule judges and some look up; see [entity.Related].
	Related  []entity.Entity
	Skipped  map[string]int // objects that no rule reads, by "apiVersion Kind"
	Warnings []string       // fields that the API does not know, and the like
}

// Read takes files, folders (their own files; with recursive, all below) and "-" for stdin.
// The error joins everything that could not be read, each as file:line; the set holds the
// rest all the same.
func Read(paths []string, recursive bool, stdin io.Reader) (Set, error) {
	set := Set{Skipped: map[string]int{}}
	d := newDecoder()
	var errs []error
	for _, path := range paths {
		if path == "-" {
			errs = append(errs, d.read(&set, "(stdin)", stdin))
			continue
		}
		files, unread, err := list(path, recursive)
		errs = append(errs, err)
		for _, f := range files {
			if isKustomization(f) {
				set.Warnings = append(set.Warnings, fmt.Sprintf("%s: the kustomization was not built, its files were judged as they are; -k %s builds it", f, filepath.Dir(f)))
			}
		}
		if unread > 0 {
			set.Warnings = append(set.Warnings, fmt.Sprintf("%s: %s; -R reads below", path, unreadText(unread)))
		}
		for _, f := range files {
			errs = append(errs, d.open(&set, f))
		}
	}
	return set, errors.Join(errs...)
}

// list returns the path itself, or the manifests in a folder, in the order of their names,
// and how many folders right below it were left unread.
func list(path string, recursive bool) (files []string, unread int, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, 0, fmt.Errorf("reading manifests: %w; name a file, a folder, or - for stdin", err)
	}
	if !info.IsDir() {
		return []string{path}, 0, nil
	}
	if file := kustomization(path); file != "" && !recursive {
		return nil, 0, fmt.Errorf("%s makes %s a kustomization, whose files mean something only when it is built: use -k %s, or name the files", file, path, path)
	}
	err = filepath.WalkDir(path, func(p string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && p != path && !recursive:
			unread++
			return filepath.SkipDir
		case entry.Type().IsRegular() && slices.Contains([]string{".yaml", ".yml", ".json"}, strings.ToLower(filepath.Ext(p))):
			files = append(files, p)
		}
		return nil
	})
	if err != nil {
		return files, unread, fmt.Errorf("reading the folder %s: %w", path, err)
	}
	return files, unread, nil
}

func (d decoder) open(set *Set, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("reading manifests: %w", err)
	}
	defer func() { _ = f.Close() }() // only read
	return d.read(set, path, f)
}

func (d decoder) read(set *Set, name string, r io.Reader) error {
	data, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return fmt.Errorf("%s: reading: %w", name, err)
	}
	if len(data) > maxFile {
		return fmt.Errorf("%s: more than %d MB; split the file", name, maxFile>>20)
	}
	var errs []error
	for _, doc := range split(data) {
		at := place{file: name, line: doc.line}
		if len(doc.text) > MaxDocument {
			errs = append(errs, at.errorf("the document has more than %d MB; split it", MaxDocument>>20))
			continue
		}
		errs = append(errs, d.document(set, at, doc))
	}
	return errors.Join(errs...)
}

func unreadText(n int) string {
	if n == 1 {
		return "1 folder below it was not read"
	}
	return fmt.Sprintf("%d folders below it were not read", n)
}
