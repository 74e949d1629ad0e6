package main

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// file is what goes into an archive.
type file struct {
	name string
	mode int64
	data []byte
}

// pack makes the archive of a program, with the licences beside it.
func (s settings) pack(made string, a *archive, licences string) error {
	files := []file{{name: program(a.platform), mode: 0o755}, {name: "LICENSE", mode: 0o644}, {name: "licences.txt", mode: 0o644, data: []byte(licences)}}
	var err error
	if files[0].data, err = os.ReadFile(a.binary); err != nil {
		return err
	}
	if files[1].data, err = os.ReadFile(filepath.Join(s.root, "LICENSE")); err != nil {
		return err
	}
	write, ending := s.tarball, ".tar.gz"
	if a.os == "windows" {
		write, ending = s.zipped, ".zip"
	}
	a.name = fmt.Sprintf("k8guard_%s_%s_%s%s", s.version, a.os, a.arch, ending)
	path := filepath.Join(made, a.name)
	out, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := errors.Join(write(out, files), out.Close()); err != nil {
		return err
	}
	a.sum, err = sum(path)
	return err
}

// tarball is the same for the same files: the time is the commit's, and nobody owns them.
func (s settings) tarball(out io.Writer, files []file) error {
	zipper, err := gzip.NewWriterLevel(out, gzip.BestCompression)
	if err != nil {
		return err
	}
	t := tar.NewWriter(zipper)
	for _, f := range files {
		head := &tar.Header{Name: f.name, Mode: f.mode, Size: int64(len(f.data)), ModTime: s.date.UTC(), Format: tar.FormatPAX}
		if err := t.WriteHeader(head); err != nil {
			return err
		}
		if _, err := t.Write(f.data); err != nil {
			return err
		}
	}
	return errors.Join(t.Close(), zipper.Close())
}

func (s settings) zipped(out io.Writer, files []file) error {
	z := zip.NewWriter(out)
	for _, f := range files {
		w, err := z.CreateHeader(&zip.FileHeader{Name: f.name, Method: zip.Deflate, Modified: s.date.UTC()})
		if err == nil {
			_, err = w.Write(f.data)
		}
		if err != nil {
			return err
		}
	}
	return z.Close()
}

// checksums are of every file in the folder, as sha256sum -c reads them.
func checksums(made string) error {
	if err := os.Remove(filepath.Join(made, ".binary")); err != nil {
		return err
	}
	entries, err := os.ReadDir(made)
	if err != nil {
		return err
	}
	var lines []string
	for _, e := range entries {
		of, err := sum(filepath.Join(made, e.Name()))
		if err != nil {
			return err
		}
		lines = append(lines, of+"  "+e.Name()+"\n")
	}
	slices.Sort(lines)
	return os.WriteFile(filepath.Join(made, "checksums.txt"), []byte(strings.Join(lines, "")), 0o644) //nolint:gosec // for people to read
}
