package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// archive is one platform's file.
type archive struct {
	platform

	name   string // of the file
	binary string // its path on this machine
	sum    string // SHA-256 of the archive
	built  string // SHA-256 of the program
}

// platform builds one platform's program, and packs it.
func (s settings) platform(ctx context.Context, made string, p platform, licences string, verify bool) (archive, error) {
	began := time.Now()
	work, err := os.MkdirTemp("", "k8guard-release-")
	if err != nil {
		return archive{}, err
	}
	defer func() { _ = os.RemoveAll(work) }()
	a := archive{platform: p, binary: filepath.Join(work, program(p))}
	elsewhere := filepath.Join(work, "elsewhere", "sources")
	if verify { // now: what somebody edits meanwhile is no difference of the builds
		if err := copySources(ctx, s.root, elsewhere); err != nil {
			return a, fmt.Errorf("copy the sources: %w", err)
		}
	}
	if err := s.build(ctx, s.root, a.binary, p); err != nil {
		return a, err
	}
	if a.built, err = sum(a.binary); err != nil {
		return a, err
	}
	said := "built once"
	if verify {
		if err := s.again(ctx, work, elsewhere, p, a.built); err != nil {
			return a, err
		}
		said = "built twice, equal"
	}
	if err := s.pack(made, &a, licences); err != nil {
		return a, err
	}
	kept := filepath.Join(made, ".binary") // the bill of materials reads it, after this folder is gone
	a.binary, err = kept, os.Rename(a.binary, kept)
	fmt.Printf("%-14s %s in %s: program %s\n", p, said, time.Since(began).Round(time.Second), a.built)
	return a, err
}

func program(p platform) string {
	if p.os == "windows" {
		return "k8guard.exe"
	}
	return "k8guard"
}

// build compiles the sources of a folder. Nothing of the environment but Go's own caches and
// proxy has a say in it.
func (s settings) build(ctx context.Context, root, to string, p platform, more ...string) error {
	flags := fmt.Sprintf("-s -w -buildid= -X main.version=%s -X main.commit=%s -X main.date=%s", s.version, s.commit, s.date.Format(time.RFC3339))
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-mod=readonly", "-tags", s.tags, "-ldflags", flags, "-o", to, "./cmd/k8guard")
	build.Dir = root
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-p="+parallel(), "GOOS="+p.os, "GOARCH="+p.arch, "GOAMD64=v1", "GOARM64=v8.0", "GOEXPERIMENT=", "GOTOOLCHAIN=local", "GOWORK=off")
	build.Env = append(build.Env, more...)
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("go build: %w", err)
	}
	return nil
}

// parallel is how many packages are compiled at once: what GOFLAGS said, for it is replaced.
func parallel() string {
	for f := range strings.FieldsSeq(os.Getenv("GOFLAGS")) {
		if n, ok := strings.CutPrefix(f, "-p="); ok {
			return n
		}
	}
	return "2"
}

// again builds from a copy of the sources with an empty cache, and compares.
func (s settings) again(ctx context.Context, work, root string, p platform, want string) error {
	cache, to := filepath.Join(work, "cache"), filepath.Join(work, "again")
	if err := s.build(ctx, root, to, p, "GOCACHE="+cache); err != nil {
		return err
	}
	got, err := sum(to)
	if err == nil && got != want {
		err = fmt.Errorf("built twice it is %s and %s: something of this machine is in it", want, got)
	}
	return errors.Join(err, os.RemoveAll(root), os.RemoveAll(cache), os.Remove(to))
}

// copySources copies what git knows, as it is on the disk.
func copySources(ctx context.Context, from, to string) error {
	list := exec.CommandContext(ctx, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	list.Dir = from
	out, err := list.Output()
	if err != nil {
		return fmt.Errorf("git ls-files: %w", err)
	}
	for name := range strings.SplitSeq(strings.TrimRight(string(out), "\x00"), "\x00") {
		info, err := os.Lstat(filepath.Join(from, name))
		if errors.Is(err, os.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
			continue // removed, or a link
		}
		if err != nil {
			return err
		}
		if err := copyFile(filepath.Join(from, name), filepath.Join(to, name)); err != nil {
			return err
		}
	}
	return nil
}

func copyFile(from, to string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o600)
}

func sum(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	h := sha256.New()
	_, err = io.Copy(h, f)
	return hex.EncodeToString(h.Sum(nil)), errors.Join(err, f.Close())
}
