// Command release builds what people download: for each platform an archive, and beside them
// checksums, a bill of materials, the licences and a manifest for krew.
//
//	release -version v1.2.3 -commit ABC -date RFC3339 -tags A,B -out bin/release [-verify one|all|none] [-only OS/ARCH]
//
// Purpose: the same bytes from the same commit, on any machine with the same Go.
//
// Concurrency: one build after the other; each uses all processors.
//
// Guarantees: a platform that is verified was built twice, from a copy of the sources in
// another folder, with another build cache, and was equal. An archive holds no time and no
// user of this machine. What cannot be built leaves no folder behind that looks complete.
//
// It will not: sign, upload, or tag anything.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"time"
)

// settings are of one release.
type settings struct {
	version, commit, tags, out, verify, only string
	date                                     time.Time
	root                                     string // of the sources
}

// platform is an operating system and an architecture, as Go calls them.
type platform struct{ os, arch string }

func (p platform) String() string { return p.os + "/" + p.arch }

func platforms() []platform {
	return []platform{{"linux", "amd64"}, {"linux", "arm64"}, {"darwin", "amd64"}, {"darwin", "arm64"}, {"windows", "amd64"}, {"windows", "arm64"}}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	s := settings{root: "."}
	date := ""
	flag.StringVar(&s.version, "version", "", "of the release")
	flag.StringVar(&s.commit, "commit", "", "that it is made of")
	flag.StringVar(&date, "date", "", "of the commit, RFC 3339")
	flag.StringVar(&s.tags, "tags", "", "build tags")
	flag.StringVar(&s.out, "out", "", "folder for the results; what is there is replaced")
	flag.StringVar(&s.verify, "verify", "one", "build twice and compare: one, all or none")
	flag.StringVar(&s.only, "only", "", "one platform alone, as linux/arm64")
	flag.Parse()
	err := s.complete(date)
	if err == nil {
		err = s.release(ctx)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

// complete checks what was asked for.
func (s *settings) complete(date string) error {
	var err error
	if s.date, err = time.Parse(time.RFC3339, date); err != nil {
		return errors.New("-date is no RFC 3339; write the commit's, as git log -1 --format=%cI says it")
	}
	for name, value := range map[string]string{"-version": s.version, "-commit": s.commit, "-out": s.out} {
		if value == "" || strings.ContainsAny(value, " \t\n'\"") {
			return fmt.Errorf("%s is empty or has a space or a quote", name)
		}
	}
	switch s.verify {
	case "one", "all", "none":
	default:
		return fmt.Errorf("-verify %q is not one, all or none", s.verify)
	}
	s.root, err = filepath.Abs(s.root)
	return err
}

// chosen are the platforms of this run.
func (s settings) chosen() (some []platform, err error) {
	for _, p := range platforms() {
		if s.only == "" || s.only == p.String() {
			some = append(some, p)
		}
	}
	if len(some) == 0 {
		return nil, fmt.Errorf("-only %q is none of %v", s.only, platforms())
	}
	return some, nil
}

// release makes everything in a folder beside, and moves that into place when it is whole.
func (s settings) release(ctx context.Context) error {
	some, err := s.chosen()
	if err != nil {
		return err
	}
	made := s.out + ".making"
	if err := errors.Join(os.RemoveAll(made), os.MkdirAll(made, 0o755)); err != nil { //nolint:gosec // for people to read
		return err
	}
	licences, modules, err := s.licences()
	if err != nil {
		return err
	}
	var all []archive
	for i, p := range some {
		a, err := s.platform(ctx, made, p, licences, s.verify == "all" || s.verify == "one" && i == 0)
		if err != nil {
			return fmt.Errorf("%s: %w", p, err)
		}
		if err := s.materials(filepath.Join(made, a.name+".cdx.json"), a, modules); err != nil {
			return fmt.Errorf("%s: %w", p, err)
		}
		all = append(all, a)
	}
	if err := errors.Join(os.WriteFile(filepath.Join(made, "licences.txt"), []byte(licences), 0o644), //nolint:gosec // for people to read
		s.krew(filepath.Join(made, "k8guard.yaml"), all), checksums(made)); err != nil {
		return err
	}
	return errors.Join(os.RemoveAll(s.out), os.Rename(made, s.out))
}
